// config.json -> decoder, for each architecture and for what strangers may write into it.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { architectures } from "../../../main/models/architectures/registry.ts"
import { architectureName, describeModel } from "../../../main/models/describe.ts"
import { llamaConfig, models, refusal } from "./made-files.ts"

function fixture(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(models, name, "config.json"), "utf8"))
}

const windows = (...each: number[]) => [0, 1].map((i) => ({ window: each[i] ?? each[0] }))

const names = (config: Record<string, unknown>) => describeModel(config, "config.json").expected.map(({ name }) => name)

test("Llama: sizes, head and rotary parameters", () => {
  const { decoder, expected } = describeModel(llamaConfig, "config.json")
  expect(decoder).toMatchObject({
    ...{ architecture: "LlamaForCausalLM", nLayers: 2, width: 64, nHeads: 4, nKvHeads: 2, headDim: 16, ffnWidth: 128 },
    ...{ vocabSize: 320, maxContext: 256, normEps: 1e-5, attentionScale: 0.25, hasTiedHead: false },
  })
  expect(decoder.ropes).toMatchObject([{ rotaryDim: 16, mscale: 1 }])
  expect(decoder.layers).toEqual(Array(2).fill({ window: 0, rope: 0, hasExperts: false }))
  expect(expected.find(({ role }) => role === "layers.1.k")).toEqual({
    ...{ name: "model.layers.1.self_attn.k_proj.weight", role: "layers.1.k", shape: [32, 64], isLinear: true },
  })
  expect(expected.at(-1)).toEqual({ name: "lm_head.weight", role: "head", shape: [320, 64], isLinear: false })
  expect(expected.filter(({ isLinear }) => isLinear)).toHaveLength(14)
  expect(new Set(expected.map(({ role }) => role)).size).toBe(expected.length)
})

test("defaults are those of transformers", () => {
  const { num_key_value_heads: _, rms_norm_eps: __, max_position_embeddings: ___, ...rest } = llamaConfig
  expect(describeModel(rest, "x").decoder).toMatchObject({ nKvHeads: 4, normEps: 1e-6, maxContext: 2048, hasTiedHead: false })
  const mistral = { ...rest, architectures: ["MistralForCausalLM"], num_attention_heads: 8 }
  expect(describeModel(mistral, "x").decoder).toMatchObject({ nKvHeads: 8, maxContext: 131072, layers: windows(4096) })
  expect(describeModel({ ...mistral, sliding_window: null, head_dim: null }, "x").decoder).toMatchObject({ layers: windows(0), headDim: 8 })
})

test("biases are where the architecture has them", () => {
  const biased = names({ ...llamaConfig, attention_bias: true, mlp_bias: true }).filter((name) => name.endsWith(".bias"))
  expect(biased).toHaveLength(14)
  expect(names(llamaConfig).filter((name) => name.endsWith(".bias"))).toEqual([])
  expect(names(fixture("qwen2")).filter((name) => name.endsWith("bias"))).toEqual(
    [0, 1].flatMap((layer) => ["q", "k", "v"].map((part) => `model.layers.${layer}.self_attn.${part}_proj.bias`)),
  )
})

test("a tied head is no tensor", () => {
  expect(names({ ...llamaConfig, tie_word_embeddings: true })).not.toContain("lm_head.weight")
})

test("Qwen2 uses its window only where it is told to", () => {
  const window = (change: Record<string, unknown>) =>
    describeModel({ ...fixture("qwen2"), sliding_window: 32, ...change }, "x").decoder.layers.map((layer) => layer.window)
  expect(window({})).toEqual([0, 0])
  expect(window({ use_sliding_window: true, layer_types: null, max_window_layers: 2 })).toEqual([0, 0])
  expect(window({ use_sliding_window: true, layer_types: null, max_window_layers: 0 })).toEqual([32, 32])
  expect(window({ use_sliding_window: true, layer_types: Array(2).fill("sliding_attention") })).toEqual([32, 32])
  const mixed = { use_sliding_window: true, layer_types: null, max_window_layers: 1 }
  expect(window(mixed)).toEqual([0, 32])
  expect(window({ ...mixed, sliding_window: 256 })).toEqual([0, 0])
})

test("an old config names only its model type", () => {
  const { architectures: _, ...rest } = llamaConfig
  expect(architectureName(rest)).toBe("LlamaForCausalLM")
  expect(architectureName({ model_type: "foo" })).toBe("foo")
  expect(architectureName({ architectures: [7] })).toBe("unknown")
  const names = architectures.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})

const refused: [change: Record<string, unknown>, code: string, message: RegExp][] = [
  [{ architectures: ["Foo"] }, "unsupported", /^Architecture `Foo` is not supported yet\.$/],
  [{ architectures: [], model_type: "bar" }, "unsupported", /^Architecture `bar` is not supported yet\.$/],
  [{ hidden_act: "sine" }, "unsupported", /`sine`/],
  [{ head_dim: 15 }, "unsupported", /15 of a head/],
  [{ hidden_size: -64 }, "bad_file", /config\.json: hidden_size is -64/],
  [{ hidden_size: 64.5 }, "bad_file", /hidden_size is 64\.5/],
  [{ hidden_size: 2 ** 25 }, "bad_file", /hidden_size is 33554432/],
  [{ hidden_size: 1e300 }, "bad_file", /hidden_size is 1e\+300/],
  [{ hidden_size: "64" }, "bad_file", /hidden_size is 64/],
  [{ hidden_size: null }, "bad_file", /hidden_size/],
  [{ hidden_size: undefined }, "bad_file", /lacks hidden_size/],
  [{ hidden_size: 66 }, "bad_file", /hidden_size 66 is no multiple of num_attention_heads 4/],
  [{ num_hidden_layers: 2 ** 31 }, "bad_file", /num_hidden_layers is 2147483648/],
  [{ num_hidden_layers: 0 }, "bad_file", /num_hidden_layers is 0/],
  [{ num_key_value_heads: 3 }, "bad_file", /4 attention heads cannot share 3/],
  [{ rms_norm_eps: -1 }, "bad_file", /rms_norm_eps is -1/],
  [{ max_position_embeddings: 1e9 }, "bad_file", /max_position_embeddings is 1000000000/],
  [{ tie_word_embeddings: "yes" }, "bad_file", /tie_word_embeddings is yes/],
  [{ vocab_size: Number.NaN }, "bad_file", /vocab_size is NaN/],
]
for (const [change, code, message] of refused) {
  test(`refused: ${JSON.stringify(change)}`, async () => {
    const error = await refusal(() => describeModel({ ...llamaConfig, ...change }, "config.json"))
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
  })
}

test("Gemma rounds the scale of its embeddings as the type of its weights does", () => {
  const config = fixture("../architectures/gemma")
  const scale = (change: Record<string, unknown>) => describeModel({ ...config, hidden_size: 3072, ...change }, "x").decoder.embedScale
  expect(scale({ dtype: "float32" })).toBeCloseTo(55.4256, 4)
  expect(scale({ dtype: "bfloat16" })).toBe(55.5)
  expect(scale({ dtype: undefined, torch_dtype: "bfloat16" })).toBe(55.5)
})

test("a model that also sees is described by its text part, whatever its names begin with", () => {
  const config = fixture("../architectures/gemma3-with-vision")
  const { decoder, expected } = describeModel(config, "x", new Set(["language_model.model.embed_tokens.weight"]))
  expect(decoder).toMatchObject({ nLayers: 3, qkNorm: "shared", layers: [{ rope: 1, window: 16 }, { rope: 0, window: 0 }, { rope: 1 }] })
  expect(expected[0]?.name).toBe("language_model.model.embed_tokens.weight")
  expect(describeModel(config, "x").expected[0]?.name).toBe("model.language_model.embed_tokens.weight")
})
