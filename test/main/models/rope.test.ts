// Rotary frequencies against those of transformers 5.23 (LlamaRotaryEmbedding of a config with head_dim 16 and 256 positions).
import { expect, test } from "vitest"
import { rotaryEmbedding } from "../../../main/models/rope.ts"
import { refusal } from "./made-files.ts"

const rotary = (config: Record<string, unknown>) => rotaryEmbedding(config, { headDim: 16, maxContext: 256, what: "config.json" })

const cases = [
  {
    name: "default theta 500000",
    config: { rope_theta: 500000.0 },
    invFreq: [1.0, 0.193922758, 0.0376060307, 0.00729266508, 0.00141421345, 0.000274248188, 5.31829573e-5, 1.03133852e-5],
    mscale: 1.0,
  },
  {
    name: "linear",
    config: { rope_scaling: { type: "linear", factor: 4.0 }, rope_theta: 10000.0 },
    invFreq: [0.25, 0.079056941, 0.0250000004, 0.00790569466, 0.00249999994, 0.000790569466, 0.000250000012, 7.90569466e-5],
    mscale: 1.0,
  },
  {
    name: "dynamic",
    config: { rope_scaling: { rope_type: "dynamic", factor: 2.0 }, rope_theta: 10000.0 },
    invFreq: [1.0, 0.316227764, 0.100000001, 0.0316227786, 0.00999999978, 0.00316227786, 0.00100000005, 0.000316227786],
    mscale: 1.0,
  },
  {
    name: "llama3",
    config: {
      rope_parameters: {
        rope_type: "llama3",
        rope_theta: 10000.0,
        factor: 8.0,
        low_freq_factor: 1.0,
        high_freq_factor: 4.0,
        original_max_position_embeddings: 32,
      },
    },
    invFreq: [1.0, 0.0958399773, 0.0125000002, 0.00395284733, 0.00124999997, 0.000395284733, 0.000125000006, 3.95284733e-5],
    mscale: 1.0,
  },
  {
    name: "yarn",
    config: { rope_parameters: { rope_type: "yarn", rope_theta: 10000.0, factor: 4.0, original_max_position_embeddings: 64 } },
    invFreq: [1.0, 0.237170815, 0.049999997, 0.00790569466, 0.00249999994, 0.000790569466, 0.000250000012, 7.90569466e-5],
    mscale: 1.138629436111989,
  },
  {
    name: "yarn, all options",
    config: {
      rope_scaling: {
        rope_type: "yarn",
        factor: 4.0,
        original_max_position_embeddings: 64,
        beta_fast: 16.0,
        beta_slow: 2.0,
        mscale: 0.7,
        mscale_all_dim: 0.4,
        truncate: false,
      },
      rope_theta: 1000000.0,
    },
    invFreq: [1.0, 0.0444569848, 0.00790569466, 0.00140585331, 0.000250000012, 4.44569851e-5, 7.90569356e-6, 1.40585337e-6],
    mscale: 1.0394038191422568,
  },
  {
    name: "yarn, attention factor",
    config: {
      rope_scaling: { type: "yarn", factor: 2.0, original_max_position_embeddings: 128, attention_factor: 1.25 },
      rope_theta: 10000.0,
    },
    invFreq: [1.0, 0.263523132, 0.0666666627, 0.0158113893, 0.00499999989, 0.00158113893, 0.000500000024, 0.000158113893],
    mscale: 1.25,
  },
  {
    name: "yarn, usual rotations",
    config: {
      rope_scaling: { rope_type: "yarn", factor: 4.0, original_max_position_embeddings: 4096, truncate: false },
      rope_theta: 10000.0,
    },
    invFreq: [1.0, 0.316227764, 0.100000001, 0.0286136102, 0.006556971, 0.00128563191, 0.000250000012, 7.90569466e-5],
    mscale: 1.138629436111989,
  },
  {
    name: "longrope",
    config: {
      rope_scaling: {
        rope_type: "longrope",
        factor: 2.0,
        short_factor: [1, 1.5, 2, 2.5, 3, 3.5, 4, 8],
        long_factor: [1, 1.5, 2, 2.5, 3, 3.5, 4, 8],
        original_max_position_embeddings: 128,
      },
      rope_theta: 10000.0,
    },
    invFreq: [1.0, 0.210818499, 0.0500000007, 0.0126491114, 0.00333333341, 0.000903507927, 0.000250000012, 3.95284733e-5],
    mscale: 1.0690449676496976,
  },
]

for (const { name, config, invFreq, mscale } of cases) {
  test(name, () => {
    const { rope } = rotary(config)
    expect(rope.invFreq.length).toBe(invFreq.length)
    for (const [i, expected] of invFreq.entries()) expect(Math.abs((rope.invFreq[i] as number) / expected - 1)).toBeLessThan(3e-7)
    expect(Math.abs(rope.mscale / mscale - 1)).toBeLessThan(1e-7)
  })
}

test("no parameters at all are the default ones", () => {
  const plain = rotary({})
  expect(plain).toEqual(rotary({ rope_theta: 10000, rope_scaling: null }))
  expect(rotary({ rope_scaling: {}, rope_parameters: { rope_type: "default", rope_theta: 10000 } })).toEqual(plain)
})

test("YaRN reaches the context that it stretches to", () => {
  const rope_scaling = { type: "yarn", factor: 4, original_max_position_embeddings: 32768 }
  expect(rotaryEmbedding({ rope_scaling }, { headDim: 128, maxContext: 32768, what: "config.json" }).maxContext).toBe(131072)
})

test("a share of the head has its own frequencies", () => {
  const { rope } = rotary({ partial_rotary_factor: 0.5 })
  expect(rope.rotaryDim).toBe(8)
  expect(rope.invFreq).toEqual(rotaryEmbedding({}, { headDim: 8, maxContext: 256, what: "x" }).rope.invFreq)
})

test("longrope with two lists has two sets of frequencies", () => {
  const { rope } = rotary({ rope_scaling: longrope, original_max_position_embeddings: 64 })
  expect(rope.longAbove).toBe(64)
  expect(rope.invFreqLong).toEqual(rope.invFreq.map((frequency) => frequency / 2))
})

const longrope = { rope_type: "longrope", short_factor: Array(8).fill(1), long_factor: Array(8).fill(2) }
const refused: [config: Record<string, unknown>, code: string, message: RegExp][] = [
  [{ rope_scaling: { rope_type: "mrope" } }, "unsupported", /`mrope`/],
  [{ rope_scaling: { rope_type: "__proto__" } }, "unsupported", /`__proto__`/],
  [{ rope_scaling: { ...longrope, long_factor: [1] } }, "bad_file", /needs 8 factors, but has 8 and 1/],
  [{ partial_rotary_factor: 0.05 }, "unsupported", /Rotating 0 of a head's 16 values/],
  [{ rope_parameters: { full_attention: {}, sliding_attention: {} } }, "unsupported", /differ between layers/],
  [{ rope_scaling: { type: "linear" } }, "bad_file", /config\.json: the rotary scaling lacks factor/],
  [{ rope_scaling: { type: "linear", factor: -1 } }, "bad_file", /factor is -1/],
  [{ rope_scaling: { type: "linear", factor: 1e-320 } }, "bad_file", /no numbers/],
  [{ rope_scaling: "linear" }, "bad_file", /rope_scaling/],
  [{ rope_theta: 0 }, "bad_file", /rope_theta is 0/],
  [{ rope_theta: 1, rope_scaling: { type: "yarn", factor: 2 } }, "bad_file", /no numbers/],
]
for (const [config, code, message] of refused) {
  test(`refused: ${JSON.stringify(config).slice(0, 80)}`, async () => {
    expect(await refusal(() => rotary(config))).toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
  })
}
