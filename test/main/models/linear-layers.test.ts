// The rule that says what is a linear layer gives the answer of transformers for every model class of the golden list.
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { type NamedTensor, tensorParts } from "../../../main/models/linear-layers.ts"
import { surveyModel } from "../../../main/models/survey.ts"
import { top } from "./made-files.ts"

interface ModelClass {
  model_type: string
  /** "4096x1024 linear" by pattern of the name. */
  tensors: Record<string, string>
}

const folder = join(top, "test/golden/linear-layers")

/** transformers converts no layer of Falcon since 5.0 (they are of a subclass); here they are converted, as it did before. */
const differs = new Set(["FalconForCausalLM"])

function read({ tensors }: ModelClass): (NamedTensor & { expected: string })[] {
  return Object.entries(tensors).map(([pattern, text]) => {
    const [shape = "", expected = ""] = text.split(" ")
    return { name: pattern.replaceAll("#", "0"), shape: shape.split("x").map(Number), expected }
  })
}

function answers(model: ModelClass): string[] {
  const tensors = read(model)
  const parts = tensorParts({ model_type: model.model_type }, tensors)
  return tensors.map(({ name }) => {
    const part = parts.get(name)
    const kind = part?.kind !== "linear" ? "kept" : part.isTransposed ? "conv1d" : "linear"
    return `${name} ${kind}`
  })
}

for (const file of readdirSync(folder)) {
  describe(file, () => {
    const classes = Object.entries<ModelClass>(JSON.parse(readFileSync(join(folder, file), "utf8")))
    test("holds classes", () => expect(classes.length).toBeGreaterThan(10))
    test.each(classes.filter(([name]) => !differs.has(name)))("%s", (_, model) => {
      expect(answers(model)).toEqual(read(model).map(({ name, expected }) => `${name} ${expected}`))
    })
  })
}

test("Falcon's layers are converted although transformers 5 does not", () => {
  const { FalconForCausalLM: falcon } = JSON.parse(readFileSync(join(folder, "causal.json"), "utf8")) as Record<string, ModelClass>
  expect(answers(falcon as ModelClass).filter((answer) => answer.endsWith(" linear"))).toHaveLength(4)
})

const fixtures = join(top, "test/fixtures/architectures")

test.each(readdirSync(fixtures))("the rule and the description of the decoder agree: %s", async (name) => {
  const { assigned, tensors, config, reason } = await surveyModel(join(fixtures, name))
  expect(reason).toBeNull()
  const found = tensorParts(config, tensors ?? [])
  const linear = (assigned ?? []).map(({ stored }) => [stored.name, found.get(stored.name)?.kind === "linear"])
  expect(linear).toEqual((assigned ?? []).map(({ stored, expected }) => [stored.name, expected.isLinear]))
})

const parts = (tensors: Record<string, number[]>, config = {}) =>
  Object.fromEntries(
    tensorParts(
      config,
      Object.entries(tensors).map(([name, shape]) => ({ name, shape })),
    ),
  )

test("a model that nobody knows: every part has its kind and its reason", () => {
  expect(
    parts({
      "net.embed_tokens.weight": [100, 8],
      "net.position_embeddings.weight": [64, 8],
      "net.blocks.0.mix.weight": [8, 8],
      "net.blocks.0.mix.bias": [8],
      "net.blocks.0.conv.weight": [8, 1, 4],
      "net.blocks.0.scale": [8, 8],
      "net.blocks.0.void.weight": [0, 8],
      "net.blocks.0.one.weight": [1, 8],
      "net.blocks.0.q_norm.weight": [2, 4],
      "lm_head.weight": [100, 8],
    }),
  ).toEqual({
    "net.embed_tokens.weight": { kind: "embedding" },
    "net.position_embeddings.weight": { kind: "other", reason: "a table that is looked up in" },
    "net.blocks.0.mix.weight": { kind: "linear", isTransposed: false },
    "net.blocks.0.mix.bias": { kind: "other", reason: "a vector" },
    "net.blocks.0.conv.weight": { kind: "other", reason: expect.stringContaining("convolution") },
    "net.blocks.0.scale": { kind: "other", reason: expect.stringContaining("no linear layer") },
    "net.blocks.0.void.weight": { kind: "other", reason: "empty" },
    "net.blocks.0.one.weight": { kind: "linear", isTransposed: false },
    "net.blocks.0.q_norm.weight": { kind: "other", reason: "a norm" },
    "lm_head.weight": { kind: "head" },
  })
})

test("experts, in one parameter or each by itself, and their router", () => {
  expect(
    parts({
      "layers.0.mlp.experts.gate_up_proj": [4, 48, 16],
      "layers.0.mlp.experts.down_proj": [4, 16, 24],
      "layers.0.mlp.gate.weight": [4, 16],
      "layers.1.mlp.experts.gate_up_proj": [4, 16, 48],
      "layers.1.mlp.experts.down_proj": [4, 24, 16],
      "layers.1.mlp.router.weight": [4, 16],
      "layers.2.moe.experts.3.w1.weight": [24, 16],
      "layers.2.other.gate.weight": [4, 16],
    }),
  ).toEqual({
    "layers.0.mlp.experts.gate_up_proj": { kind: "experts", isTransposed: false },
    "layers.0.mlp.experts.down_proj": { kind: "experts", isTransposed: false },
    "layers.0.mlp.gate.weight": { kind: "other", reason: "the router of a mixture of experts" },
    "layers.1.mlp.experts.gate_up_proj": { kind: "experts", isTransposed: true },
    "layers.1.mlp.experts.down_proj": { kind: "experts", isTransposed: true },
    "layers.1.mlp.router.weight": { kind: "other", reason: "the router of a mixture of experts" },
    "layers.2.moe.experts.3.w1.weight": { kind: "experts", isTransposed: false },
    "layers.2.other.gate.weight": { kind: "linear", isTransposed: false },
  })
})

test("which way round GPT-2's square matrices lie is told by their neighbors", () => {
  const shapes = (isConv: boolean) => ({
    "h.0.attn.c_attn.weight": isConv ? [8, 24] : [24, 8],
    "h.0.attn.c_attn.bias": [24],
    "h.0.attn.c_proj.weight": [8, 8],
    "h.0.attn.c_proj.bias": [8],
    "h.0.mlp.c_fc.weight": [8, 8],
    "h.0.mlp.c_fc.bias": [8],
  })
  for (const isConv of [true, false]) {
    for (const module of ["attn.c_attn", "attn.c_proj", "mlp.c_fc"]) {
      expect(parts(shapes(isConv))[`h.0.${module}.weight`], module).toEqual({ kind: "linear", isTransposed: isConv })
    }
  }
})
