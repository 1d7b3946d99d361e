// Tensor names of GGUF and the roles of native/model/decoder.h. GGUF names what a tensor does, whatever the architecture.
import type { LayerRole } from "./architectures/architecture.ts"
import type { ModelDescription } from "./describe.ts"

const ends: Record<string, string> = {
  token_embd: "embed",
  position_embd: "positions",
  token_embd_norm: "embed_norm",
  output_norm: "final_norm",
  output: "head",
}

const inLayer: Record<string, LayerRole> = {
  attn_norm: "attn_norm",
  attn_q: "q",
  attn_k: "k",
  attn_v: "v",
  attn_qkv: "qkv",
  attn_output: "o",
  attn_q_norm: "q_norm",
  attn_k_norm: "k_norm",
  post_attention_norm: "attn_post_norm",
  ffn_norm: "mlp_norm",
  ffn_gate: "gate",
  ffn_up: "up",
  ffn_down: "down",
  post_ffw_norm: "mlp_post_norm",
}

/** blk.0.attn_q.weight -> layers.0.q, blk.0.attn_q.bias -> layers.0.q.bias; null for a name that no supported architecture has. */
export function roleOfGguf(name: string): string | null {
  const [, layer, module = "", kind] = /^(?:blk\.(\d{1,5})\.)?([a-z_]+)\.(weight|bias)$/.exec(name) ?? []
  const known: Record<string, string> = layer === undefined ? ends : inLayer
  if (!Object.hasOwn(known, module)) return null
  const role = layer === undefined ? known[module] : `layers.${Number(layer)}.${known[module]}`
  return kind === "bias" ? `${role}.bias` : `${role}`
}

/** Names in transformers by role. GGUF calls a matrix of gate and up by the name of up alone. */
export function namesByRole({ expected }: ModelDescription): Map<string, string> {
  const names = new Map(expected.map(({ role, name }) => [role, name]))
  for (const { role, name } of expected) if (role.endsWith(".gate_up")) names.set(role.replace(/gate_up$/, "up"), name)
  return names
}
