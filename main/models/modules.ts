// The parts of a model that can lie on devices of their own, by the names that the checkpoint has for them: those of Accelerate's device_map.
import type { NativeDecoder } from "../engine/native-decoder.ts"
import type { EndRole, TensorName, TensorNames } from "./architectures/architecture.ts"

export interface ModelModule {
  /** As in native/model/parts.h: "embed", "layers.0", "head", … */
  part: string
  /** "model.embed_tokens", "model.layers.0", "lm_head", … */
  name: string
}

/** In the order in which a token passes them. A head that shares the embedding's weight is one too. */
export function modulesOf(decoder: NativeDecoder, { prefix, layers, ends }: TensorNames): ModelModule[] {
  const end = (part: EndRole, isThere: boolean): ModelModule[] => {
    const name = ends[part]
    return isThere && name !== undefined ? [{ part, name: (part === "head" ? "" : prefix) + moduleName(name) }] : []
  }
  const hasOtherWidth = decoder.embedWidth !== decoder.width
  return [
    ...end("embed", true),
    ...end("positions", decoder.nPositions > 0),
    ...end("embed_in", hasOtherWidth),
    ...end("embed_norm", decoder.hasEmbedNorm && decoder.hasNormWeights),
    ...decoder.layers.map((_, i) => ({ part: `layers.${i}`, name: `${prefix}${layers}.${i}` })),
    ...end("final_norm", decoder.hasFinalNorm && decoder.hasNormWeights),
    ...end("embed_out", hasOtherWidth),
    ...end("head", true),
  ]
}

function moduleName(name: TensorName): string {
  return typeof name === "string" ? name : name.parameter
}
