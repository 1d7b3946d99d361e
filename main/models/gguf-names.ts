// Tensor names of GGUF and of transformers, for the Llama family.
const fixed: Record<string, string> = {
  "token_embd.weight": "model.embed_tokens.weight",
  "output_norm.weight": "model.norm.weight",
  "output.weight": "lm_head.weight",
}

const modules: Record<string, string> = {
  attn_norm: "input_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  ffn_norm: "post_attention_layernorm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
}

/** blk.0.attn_q.weight -> model.layers.0.self_attn.q_proj.weight; null for a name that no supported architecture has. */
export function transformersName(name: string): string | null {
  if (Object.hasOwn(fixed, name)) return fixed[name] as string
  const [, layer, module = "", kind] = /^blk\.(\d{1,5})\.([a-z_]+)\.(weight|bias)$/.exec(name) ?? []
  if (!Object.hasOwn(modules, module)) return null
  return `model.layers.${layer}.${modules[module]}.${kind}`
}
