// What the architectures with experts have in common.
import { z } from "zod"
import type { NativeLayer } from "../../engine/native-decoder.ts"
import { dimension } from "../decoder-config.ts"
import type { ExpertsForm, LayerRole, TensorNames } from "./architecture.ts"

/** A matrix of each expert for each part, as published. */
export function separateExperts(module: string, parts = { gate: "gate_proj", up: "up_proj", down: "down_proj" }): ExpertsForm {
  const { gate, up, down } = parts
  const name = (part: string) => `${module}.experts.{e}.${part}`
  return { layout: "gated", inLayer: { "experts.gate": name(gate), "experts.up": name(up), "experts.down": name(down) } }
}

/** All experts in one parameter, their gates above their ups: how transformers 5 holds them. */
export function fusedExperts(module: string): ExpertsForm {
  const parameter = (part: string) => ({ parameter: `${module}.experts.${part}` })
  return { layout: "gated_stacked", inLayer: { "experts.gate_up": parameter("gate_up_proj"), "experts.down": parameter("down_proj") } }
}

/** What most have: a router and its experts in `mlp`. */
export const usualExperts: Pick<TensorNames, "experts"> & { router: Partial<Record<LayerRole, string>> } = {
  router: { router: "mlp.gate" },
  experts: [separateExperts("mlp"), fusedExperts("mlp")],
}

export function sharedExpertNames(module: string): Partial<Record<LayerRole, string>> {
  return { "shared.gate": `${module}.gate_proj`, "shared.up": `${module}.up_proj`, "shared.down": `${module}.down_proj` }
}

/** Of the Qwen models: which layers have experts. */
export const sparseFields = {
  decoder_sparse_step: dimension,
  mlp_only_layers: z.array(z.int().nonnegative()).max(4096).nullable(),
}
export const sparseDefaults = { decoder_sparse_step: 1, mlp_only_layers: [] }

export function withSparseLayers(
  layers: NativeLayer[],
  { decoder_sparse_step: step, mlp_only_layers: dense }: { decoder_sparse_step: number; mlp_only_layers: number[] | null },
): NativeLayer[] {
  return layers.map((layer, i) => ({ ...layer, hasExperts: (i + 1) % step === 0 && !dense?.includes(i) }))
}
