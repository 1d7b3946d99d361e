import { expect, test } from "vitest"
import { describeModel } from "../../../../main/models/describe.ts"
import { refusal } from "../made-files.ts"

const config = { architectures: ["MPTForCausalLM"], model_type: "mpt", vocab_size: 96, d_model: 32, n_heads: 4, n_layers: 2 }

test("what MPT's own code can be told otherwise is refused by its name", async () => {
  for (const [change, sentence] of [
    [{ attn_config: { alibi: false } }, "MPT with `alibi` off is not supported yet."],
    [{ attn_config: { qk_ln: true } }, "MPT with `qk_ln` is not supported yet."],
    [
      { attn_config: { attn_type: "multiquery_attention" } },
      "MPT with an `attn_type` other than multihead_attention is not supported yet.",
    ],
    [{ attn_config: { rope: true } }, "MPT with `rope` is not supported yet."],
    [{ ffn_config: { ffn_type: "mptglu" } }, "MPT with an `ffn_type` other than mptmlp is not supported yet."],
    [{ no_bias: false }, "MPT with `no_bias` off is not supported yet."],
    [{ norm_type: "rmsnorm" }, "MPT with a `norm_type` other than layernorm is not supported yet."],
    [{ logit_scale: "inv_sqrt_d_model" }, "MPT with `logit_scale` is not supported yet."],
  ] as const) {
    expect(await refusal(() => describeModel({ ...config, ...change }, "x"))).toMatchObject({ code: "unsupported", message: sentence })
  }
})

test("the largest bias of config.json counts", () => {
  const { decoder } = describeModel({ ...config, attn_config: { alibi: true, alibi_bias_max: 16, clip_qkv: 6, softmax_scale: 0.5 } }, "x")
  expect(decoder).toMatchObject({ alibiSlopes: Float32Array.of(2 ** -4, 2 ** -8, 2 ** -12, 2 ** -16), qkvClip: 6, attentionScale: 0.5 })
})
