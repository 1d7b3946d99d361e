// A program of its own, to be killed: it adds a model of the hub and tells what becomes of its files.
// Arguments: data folder, address of the hub, name of the model.
import { createApp } from "../../../main/app.ts"
import { forkHost } from "../../../main/engine/fork.ts"

const [home = "", endpoint = "", name = ""] = process.argv.slice(2)
const app = await createApp({ home, face: "served", startHost: forkHost, version: "0", env: { HF_ENDPOINT: endpoint } })
const context = { signal: new AbortController().signal, emit: async () => {} }
app.services.events.subscribe((event) => {
  if (event.type !== "addition") return
  const used = event.addition.files.filter(({ state }) => state === "used").map((file) => file.name)
  process.stdout.write(`${JSON.stringify({ state: event.addition.state, used, error: event.addition.error })}\n`)
})
const source = { kind: "hub", name, revision: "", variant: null } as const
const { id, options } = await app.handlers["additions.create"]({ source }, context)
await app.handlers["additions.update"]({ id, options: { ...options, format: "nf4", check: false } }, context)
// Only now does the hub begin to make trouble.
process.stdin.once("data", () => void app.handlers["additions.start"]({ id }, context))
