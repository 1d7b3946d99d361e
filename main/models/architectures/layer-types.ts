// Layers that differ by "layer_types" of config.json, or by a pattern where it is absent.
import { z } from "zod"
import type { NativeLayer } from "../../engine/native-decoder.ts"
import { isObject } from "../json.ts"
import type { Rotary } from "../rope.ts"
import type { Common } from "./architecture.ts"

export const layerPattern = z.int().min(1).max(4096).nullish()

/** True for the layers with a sliding window: as `types` says, else all but every `pattern`-th. */
export function slidingLayers(nLayers: number, types: readonly string[] | null | undefined, pattern: number): boolean[] {
  return Array.from({ length: nLayers }, (_, i) => (types ? types[i] === "sliding_attention" : (i + 1) % pattern !== 0))
}

export function layersOf(isSliding: boolean[], change: (isSliding: boolean, i: number) => Partial<NativeLayer>): NativeLayer[] {
  return isSliding.map((is, i) => ({ window: 0, rope: 0, hasExperts: false, ...change(is, i) }))
}

const record = z.record(z.string(), z.unknown()).nullish()
const theta = z.number().positive().nullish()

/** Fields of rotary embeddings that differ by the kind of layer; before transformers 5 each had a field of its own. */
export const layerRopeFields = { rope_theta: theta, rope_local_base_freq: theta, rope_scaling: record, rope_parameters: record }

type LayerRopeFields = { [Name in keyof typeof layerRopeFields]?: z.output<(typeof layerRopeFields)[Name]> }

/** Of layers that see everything, and of those with a window: 0 and 1 of NativeLayer.rope. Scaling is for the former. */
export function layerRopes(config: LayerRopeFields, thetas: { full: number; sliding: number }, { rope }: Common): Rotary[] {
  const part = (name: string) => (isObject(config.rope_parameters?.[name]) ? config.rope_parameters[name] : {})
  const full = { rope_theta: config.rope_theta ?? thetas.full, ...config.rope_scaling, ...part("full_attention") }
  const sliding = { rope_theta: config.rope_local_base_freq ?? thetas.sliding, ...part("sliding_attention") }
  return [rope({ config: { rope_parameters: full } }), rope({ config: { rope_parameters: sliding } })]
}
