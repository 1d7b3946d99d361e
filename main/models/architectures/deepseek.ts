// What DeepSeek-V2 and -V3 share: multi-head latent attention, and experts behind some dense layers, of which a few are for all tokens.
import { z } from "zod"
import type { NativeExperts, NativeLayer } from "../../engine/native-decoder.ts"
import { count, dimension } from "../decoder-config.ts"
import { noExperts, noLatent, sameLayers } from "../decoder-defaults.ts"
import { yarnMagnitude } from "../rope.ts"
import type { Common, DecoderChange, Role, TensorNames } from "./architecture.ts"
import { sharedExpertNames, usualExperts } from "./experts.ts"

export const deepseekFields = {
  q_lora_rank: dimension.nullable(),
  kv_lora_rank: dimension,
  qk_nope_head_dim: dimension,
  qk_rope_head_dim: dimension,
  v_head_dim: dimension,
  n_routed_experts: dimension,
  n_shared_experts: dimension,
  num_experts_per_tok: dimension,
  moe_intermediate_size: dimension,
  first_k_dense_replace: count,
  routed_scaling_factor: z.number(),
  n_group: dimension.nullable(),
  topk_group: dimension.nullable(),
  norm_topk_prob: z.boolean(),
}

type DeepseekConfig = z.output<z.ZodObject<typeof deepseekFields>> & Record<string, unknown> & { attention_bias?: boolean | null }

export const deepseekNames: Partial<TensorNames> = {
  inLayer: {
    q_a: "self_attn.q_a_proj",
    q_a_norm: "self_attn.q_a_layernorm",
    q_b: "self_attn.q_b_proj",
    kv_a: "self_attn.kv_a_proj_with_mqa",
    kv_a_norm: "self_attn.kv_a_layernorm",
    kv_b: "self_attn.kv_b_proj",
    router_correction: { parameter: "mlp.gate.e_score_correction_bias" },
    ...usualExperts.router,
    ...sharedExpertNames("mlp.shared_experts"),
  },
  experts: usualExperts.experts,
}

export const latentBiases: Role[] = ["q_a", "kv_a", "o"]

export function latentAttention(config: DeepseekConfig, { nHeads, rope }: Common, isInterleaved: boolean): DecoderChange {
  const rotaryDim = config.qk_rope_head_dim
  const headDim = config.qk_nope_head_dim + rotaryDim
  const rotary = rope({ headDim, rotaryDim, isInterleaved })
  return {
    qkv: "latent",
    headDim,
    nKvHeads: nHeads,
    valueDim: config.v_head_dim,
    latent: { ...noLatent, qRank: config.q_lora_rank ?? 0, kvRank: config.kv_lora_rank },
    attentionScale: scaleOfYarn(config) ** 2 / Math.sqrt(headDim),
    ropes: [rotary],
  }
}

const Scaling = z.looseObject({
  rope_type: z.string().nullish(),
  type: z.string().nullish(),
  factor: z.number().positive().nullish(),
  mscale_all_dim: z.number().nullish(),
})

/** YaRN's magnitude, which these models give to the attention instead of the rotary embedding. */
function scaleOfYarn(config: DeepseekConfig): number {
  const { rope_scaling: older, rope_parameters: parameters } = config
  const { success, data } = Scaling.safeParse(older ?? parameters)
  if (!success || (data.rope_type ?? data.type ?? "default") === "default") return 1
  return data.mscale_all_dim && data.factor ? yarnMagnitude(data.factor, data.mscale_all_dim) : 1
}

export function layersBehindDense(config: DeepseekConfig, nLayers: number): NativeLayer[] {
  return sameLayers(nLayers, {}).map((layer, i) => ({ ...layer, hasExperts: i >= config.first_k_dense_replace }))
}

export function deepseekExperts(config: DeepseekConfig): NativeExperts {
  return {
    ...noExperts,
    nExperts: config.n_routed_experts,
    nChosen: config.num_experts_per_tok,
    ffnWidth: config.moe_intermediate_size,
    sharedWidth: config.moe_intermediate_size * config.n_shared_experts,
    scale: config.routed_scaling_factor,
  }
}
