// get_memory_footprint() of transformers 5, without transformers: parameters as they are packed, and buffers. Scales of quantized
// weights hang on the parameters, where it does not look, and are left out as there.
import type { AssignedTensor } from "../models/roles.ts"
import { elementCount } from "../models/tensors.ts"
import type { PlainDtype } from "./addon-types.ts"
import { plainDtypes } from "./checkpoint-layout.ts"
import type { NativeDecoder } from "./native-decoder.ts"
import { keepsFullPrecision } from "./quantize-plan.ts"

/** `dtype`: what the weights that are not quantized are loaded as. */
export function memoryFootprint(assigned: AssignedTensor[], decoder: NativeDecoder, dtype: PlainDtype): number {
  const parameters = assigned.reduce((sum, tensor) => sum + parameterBytes(tensor, dtype), 0)
  return parameters + bufferBytes(decoder, dtype)
}

function parameterBytes({ stored }: AssignedTensor, dtype: PlainDtype): number {
  const { name, shape, data, quantized } = stored
  // MXFP4 has its scales as parameters.
  if (quantized) return data.bytes + (quantized.isMicroscaling ? quantized.absmax.bytes : 0)
  return (elementCount(shape) ?? 0) * (keepsFullPrecision(name) ? 4 : plainDtypes[dtype].bytes)
}

/** The frequencies of rotary embeddings, twice; older classes have tables and masks for the whole context instead. */
function bufferBytes(decoder: NativeDecoder, dtype: PlainDtype): number {
  const { architecture, nLayers, maxContext, ropes } = decoder
  const rotary = ropes.map(({ rotaryDim }) => rotaryDim)
  if (architecture === "GPTNeoForCausalLM") return nLayers * maxContext * maxContext
  if (architecture === "GPTBigCodeForCausalLM") return maxContext * maxContext
  if (architecture === "GPTJForCausalLM" || architecture === "CodeGenForCausalLM") return nLayers * maxContext * (rotary[0] ?? 0) * 4
  const scale = architecture.startsWith("Gemma") ? plainDtypes[dtype].bytes : 0
  return rotary.reduce((sum, width) => sum + width * 4, scale)
}
