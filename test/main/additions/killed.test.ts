// The whole program, killed without a chance to say goodbye, and started again: headers, download and quantizer are the real ones.
import { spawn } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { expect, it, onTestFinished, vi } from "vitest"
import { forkHost } from "../../../main/engine/fork.ts"
import { openModel } from "../../../main/models/open.ts"
import { startHub, type TestHub } from "../../hub/hub.ts"
import { scratchFolder } from "../scratch.ts"
import { fixtures } from "../services/fake-engine.ts"
import { runApp } from "../services/running-app.ts"

const shards = [1, 2, 3].map((number) => `model-0000${number}-of-00003.safetensors`)

/** Resolves when the program is killed, in the middle of the second file. */
async function killedMidway(home: string, hub: TestHub): Promise<void> {
  const program = join(import.meta.dirname, "killed-app.ts")
  const child = spawn(process.execPath, [program, home, hub.endpoint, "org/tiny-llama"], { stdio: ["pipe", "pipe", "inherit"] })
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()))
  const told: unknown[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    told.push(line)
    const { state, used } = JSON.parse(line)
    if (used.includes(shards[0])) child.kill("SIGKILL")
    if (state !== "draft" || told.length > 1) continue
    for (const name of shards.slice(1)) hub.faults.add({ match: new RegExp(`^/storage/.*${name}`), kind: "stall", at: 60_000, times: 1 })
    child.stdin.write("go\n")
  }
  await ended
  expect(child.signalCode, told.join("\n")).toBe("SIGKILL")
}

it("goes on with the second file after kill -9, by itself", async () => {
  const hub = await startHub({ repositories: [{ name: "org/tiny-llama", folder: join(fixtures, "llama-tied-sharded") }] })
  onTestFinished(() => hub.close())
  const home = scratchFolder()
  await killedMidway(home, hub)
  const before = hub.requests.length

  const { client, app } = await runApp({ home, startHost: forkHost, env: { HF_ENDPOINT: hub.endpoint } })
  const addition = async () => (await client["app.snapshot"](undefined)).additions[0]
  await vi.waitFor(async () => expect(await addition()).toMatchObject({ state: "done", error: null }), { timeout: 15_000 })
  expect(hub.requests.slice(before).filter(({ path }) => path.includes(shards[0] ?? ""))).toEqual([])
  const [model] = app.services.registry.list()
  expect(model).toMatchObject({ format: "nf4", name: "tiny-llama", supported: true })
  expect((await openModel(model?.path ?? "")).source.tensors.filter(({ quantized }) => quantized)).toHaveLength(14)
  expect(readdirSync(join(home, "downloads"))).toEqual(["headers"])
  expect(readdirSync(join(home, "models"))).toEqual(["tiny-llama-nf4"])
})
