// The command line adds a model beside a running app: each sees what the other does, and neither takes it away from the other.
import { expect, it } from "vitest"
import { openDatabase } from "../../../main/storage/database.ts"
import { scratchFolder } from "../scratch.ts"
import { addingService, testHub } from "../services/adding.ts"
import { FakeEngine } from "../services/fake-engine.ts"
import { repository, shards } from "../services/tiny-llama.ts"

process.env.NIBBLE_CHECKED = "1"

/** An app, and a command line that waits for the end of the second file. */
async function both() {
  const hub = await testHub({ repositories: [repository] })
  const home = scratchFolder()
  const place = { hub, home, startHost: new FakeEngine().startHost }
  const app = await addingService(place)
  app.service.resume()
  hub.faults.add({ match: shards[1] ?? "", kind: "stall", at: 40_000 })
  const commandLine = await addingService({ ...place, isLocked: false })
  const { id } = await commandLine.fromHub("org/tiny-llama", { format: "stored", check: false })
  await commandLine.start(id)
  await commandLine.reached(id, ({ download }) => (download?.done ?? 0) > 40_000)
  return { hub, app, commandLine, id }
}

it("the app shows what a command line adds, and leaves it alone until it is paused", async () => {
  const { hub, app, commandLine, id } = await both()
  expect(app.get(id)).toMatchObject({ state: "running", step: "download" })
  const { options } = app.get(id)
  const busy = expect.objectContaining({ code: "busy", message: "Another Nibble process works on tiny-llama." })
  for (const act of [app.start, app.pause, app.back, app.remove, (one: string) => app.update(one, options)])
    await expect(act(id)).rejects.toEqual(busy)
  await commandLine.pause(id)
  expect(app.get(id)).toMatchObject({ state: "paused" })
  hub.faults.clear()
  await app.start(id)
  await expect(commandLine.start(id)).rejects.toEqual(busy)
  const { modelId } = await app.reached(id)
  expect(commandLine.registry.get(modelId ?? "")).toMatchObject({ name: "tiny-llama", format: "bf16" })
  expect(commandLine.get(id)).toMatchObject({ state: "done" })
})

it("the app goes on with what a killed command line left behind", async () => {
  const { hub, app, commandLine, id } = await both()
  hub.faults.clear()
  // As after kill -9. No process has this number: it is above the largest that Linux, macOS and Windows give.
  const record = app.get(id)
  await commandLine.close()
  const database = openDatabase(app.paths.database)
  database.run("UPDATE additions SET owner_pid = ?, record = ? WHERE id = ?", 2 ** 30, JSON.stringify(record), id)
  database.close()
  expect(await app.reached(id)).toMatchObject({ state: "done", error: null })
})
