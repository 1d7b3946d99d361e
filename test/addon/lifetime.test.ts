// Models and tasks that end at odd moments: disposed while they run, cancelled at each stage, left by their environment.
import { join } from "node:path"
import { Worker } from "node:worker_threads"
import { expect, test } from "vitest"
import type { NativeModel } from "../../main/engine/addon-types.ts"
import { engine, enginePath, greedy, load, loadOptions, models, readModel, temporaryFolder } from "./fixtures.ts"

temporaryFolder()
const long = { tokens: [1, 2, 3], maxNewTokens: 120, sampling: greedy, stopTokens: [] }

function generate(model: NativeModel, onTokens: (tokens: number[]) => boolean | undefined = () => undefined) {
  return model.generate(long, onTokens)
}

test("a model in use is not disposed of, and is afterwards", async () => {
  const model = await load("llama", { backend: "ref" })
  const task = generate(model)
  expect(() => model.dispose()).toThrow(expect.objectContaining({ code: "busy" }))
  expect(() => generate(model)).toThrow(expect.objectContaining({ code: "busy" }))
  task.cancel()
  expect(await task.promise).toMatchObject({ stopReason: "cancelled" })
  model.dispose()
  model.dispose()
  expect(() => generate(model)).toThrow(expect.objectContaining({ code: "bad_input" }))
  task.cancel()
})

test("cancelled before it began, in the middle and after its end", async () => {
  const model = await load("llama", { backend: "ref" })
  const first = generate(model)
  first.cancel()
  expect(await first.promise).toMatchObject({ stopReason: "cancelled", tokens: [], promptTokens: 3, cachedTokens: 0, prefillMs: 0 })

  let made = 0
  const second = generate(model, (tokens) => {
    made += tokens.length
    second.cancel()
    return undefined
  })
  const part = await second.promise
  expect(part).toMatchObject({ stopReason: "cancelled", promptTokens: 3 })
  expect(made).toBeGreaterThan(0)
  expect(part.tokens).toHaveLength(made)
  expect(part.prefillMs).toBeGreaterThan(0)

  const third = generate(model)
  const { tokens } = await third.promise
  expect(tokens).toHaveLength(120)
  third.cancel()
  third.cancel()
  // What the cancelled jobs left in the cache does not change an answer.
  const fresh = await load("llama", { backend: "ref" })
  expect((await generate(fresh).promise).tokens).toEqual(tokens)
  fresh.dispose()
  model.dispose()
})

test("loading and measuring are cancelled", async () => {
  const loading = engine.loadModel(loadOptions(readModel("llama")), () => {})
  loading.cancel()
  await expect(loading.promise).rejects.toMatchObject({ code: "cancelled" })
  const bandwidth = engine.measureBandwidth(1 << 26, 1)
  bandwidth.cancel()
  await expect(bandwidth.promise).rejects.toMatchObject({ code: "cancelled" })
})

test("a listener that throws ends the task with what it threw", async () => {
  const model = await load("llama", { backend: "ref" })
  const task = generate(model, () => {
    throw new RangeError("enough")
  })
  await expect(task.promise).rejects.toThrow(RangeError)
  await expect(
    engine.loadModel(loadOptions(readModel("llama")), () => {
      throw new RangeError("too slow")
    }).promise,
  ).rejects.toThrow(RangeError)
  expect((await generate(model).promise).tokens).toHaveLength(120)
  model.dispose()
})

test("a listener that has seen enough", async () => {
  const model = await load("llama", { backend: "ref" })
  const { tokens, stopReason } = await generate(model, () => false).promise
  expect(stopReason).toBe("stop_token")
  expect(tokens.length).toBeLessThan(120)
  model.dispose()
})

test("a model that nobody keeps is collected while its task runs", async () => {
  const task = await (async () => generate(await load("llama", { backend: "ref" })))()
  await new Promise((resolve) => setTimeout(resolve, 5))
  ;(globalThis as { gc?: () => void }).gc?.()
  expect((await task.promise).tokens).toHaveLength(120)
})

// A worker is an environment of its own. It loads the engine and a model by itself, starts a long job and goes on.
const workerCode = `
  const { parentPort, workerData } = require("node:worker_threads")
  const engine = require(workerData.enginePath)
  const options = workerData.options
  engine.loadModel(options, () => {}).promise.then(async (model) => {
    const request = { tokens: [1, 2, 3], maxNewTokens: 120, sampling: workerData.greedy, stopTokens: [] }
    const tokens = (await model.generate(request, () => {}).promise).tokens
    parentPort.postMessage(tokens)
    for (;;) await model.generate(request, () => {}).promise
  })
`

test("two environments at once, each ended in the middle of its work", async () => {
  const options = loadOptions(readModel("llama"), { backend: "ref" })
  const expected = (await generate(await load("llama", { backend: "ref" })).promise).tokens
  const workers = [1, 2].map(() => new Worker(workerCode, { eval: true, workerData: { enginePath, options, greedy } }))
  const answers = await Promise.all(
    workers.map((worker) => new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject))),
  )
  expect(answers).toEqual([expected, expected])
  await Promise.all(workers.map((worker) => worker.terminate()))
  expect((await generate(await load("llama", { backend: "ref" })).promise).tokens).toEqual(expected)
})

test("loading and disposing a thousand times keeps the memory", { timeout: 120_000 }, async () => {
  const options = loadOptions(readModel("llama-nf4-dq"), { threads: 1, context: 64 })
  const cycle = async (count: number) => {
    for (let i = 0; i < count; i++) (await engine.loadModel(options, () => {}).promise).dispose()
  }
  await cycle(200)
  const before = engine.info().residentBytes
  await cycle(800)
  const grown = engine.info().residentBytes - before
  // A model takes about 300 kB: leaking one in ten would be 24 MB. Node itself moves by a few.
  expect(grown, join(models, "llama-nf4-dq")).toBeLessThan(16 << 20)
})
