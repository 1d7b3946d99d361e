import { join } from "node:path"
import { expect, it } from "vitest"
import { fixtures } from "./fake-engine.ts"
import { runApp, runWithModel } from "./running-app.ts"

const llama = join(fixtures, "llama")

it("counts outliers in the model that is loaded, with the usual threshold", async () => {
  const { client, modelId, engine } = await runWithModel(llama)
  expect(await client["models.outliers"]({ modelId })).toMatchObject({ threshold: 6, layers: [] })
  expect(await client["models.outliers"]({ modelId, threshold: 3.5, text: "Hello" })).toMatchObject({ threshold: 3.5 })
  expect(engine.called("model.load")).toHaveLength(1)
  expect(engine.called("model.outliers")).toEqual([{ threshold: 6 }, { threshold: 3.5 }])
})

it("loads the model first where it is not, and refuses what is no threshold", async () => {
  const { client, ended, engine } = await runApp()
  const { modelId } = await ended(await client["models.import"]({ path: llama }))
  await client["models.outliers"]({ modelId: modelId ?? "" })
  expect(engine.called("model.load")).toHaveLength(1)
  await expect(client["models.outliers"]({ modelId: modelId ?? "", threshold: -1 })).rejects.toMatchObject({ code: "bad_input" })
})

it("waits for nobody: while a reply is being written it says so", async () => {
  const { client, modelId, engine } = await runWithModel(llama)
  const release = engine.hold("model.outliers")
  const first = client["models.outliers"]({ modelId })
  await expect.poll(() => engine.called("model.outliers")).toHaveLength(1)
  await expect(client["models.outliers"]({ modelId })).rejects.toMatchObject({ code: "busy" })
  release()
  await first
})
