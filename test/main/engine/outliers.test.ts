// Outlier statistics of real models: names as in the checkpoint, text cut to the context, any format.
import { join } from "node:path"
import { expect, test } from "vitest"
import { golden, models, testEngine } from "./fixtures.ts"

const { client } = testEngine()
const { tokens } = golden("llama")

const load = (name: string, options: object = {}) => client["model.load"]({ path: join(models, name), ...options }, () => {})

test("every linear layer is there by its name, for plain and for quantized models alike", async () => {
  const linear = [
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
  ]
  const expected = [...[0, 1].flatMap((i) => linear.map((name) => `model.layers.${i}.${name}`)), "lm_head"]
  for (const name of ["llama", "llama-nf4-dq", "llama-int8"]) {
    await load(name)
    const { layers, ...rest } = await client["model.outliers"]({ tokens, threshold: 1.5 })
    expect(rest).toEqual({ threshold: 1.5, tokens: tokens.length })
    expect(layers.map((layer) => layer.name)).toEqual(expected)
    for (const layer of layers) {
      expect(layer).toMatchObject({ tokens: tokens.length, columns: layer.name.endsWith("down_proj") ? 128 : 64 })
      expect(layer.outlier_column_share).toBe(layer.outlier_columns / layer.columns)
      expect(layer.most_frequent.length).toBe(Math.min(16, layer.outlier_columns))
      expect(layer.largest >= 1.5).toBe(layer.outlier_columns > 0)
    }
    expect(layers.reduce((sum, layer) => sum + layer.outlier_columns, 0)).toBeGreaterThan(100)
  }
})

test("a higher threshold finds fewer, 0 none; a tied head is lm_head", async () => {
  await load("llama-tied-sharded")
  const counts = []
  for (const threshold of [0.5, 1, 3, 0]) {
    const { layers } = await client["model.outliers"]({ text: "Once upon a time there was a small model.", threshold })
    expect(layers.at(-1)?.name).toBe("lm_head")
    counts.push(layers.reduce((sum, layer) => sum + layer.outlier_value_share, 0))
  }
  expect(counts[0]).toBeGreaterThan(counts[1] as number)
  expect(counts[1]).toBeGreaterThan(counts[2] as number)
  expect(counts[3]).toBe(0)
})

test("a text longer than the context is cut into parts that begin as a text does; the sample serves where none is given", async () => {
  await load("llama-rope-llama3", { context: 16 })
  const { ids } = await client["model.tokenize"]({ text: "one two three four five six seven eight nine ten eleven twelve thirteen" })
  expect(ids.length).toBeGreaterThan(16)
  const long = await client["model.outliers"]({ text: "one two three four five six seven eight nine ten eleven twelve thirteen" })
  // Each part has the begin-of-text token in front.
  expect(long.tokens).toBe(ids.length + Math.ceil(ids.length / 15))
  expect((await client["model.outliers"]({ maxTokens: 100 })).tokens).toBeGreaterThanOrEqual(100)
  await expect(client["model.outliers"]({ tokens: [1_000_000] })).rejects.toMatchObject({ code: "bad_input" })
})
