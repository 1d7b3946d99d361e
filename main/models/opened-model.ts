// What opening a model gives, whatever its file format: what the engine host needs to plan, load, quantize and talk to it.
import type { ModelInspection } from "../../shared/schema/model.ts"
import type { NativeEncoding, NativeFileSlice, NativeModelSource, NativeQuantizedSource } from "../engine/addon-types.ts"
import type { NativeDecoder } from "../engine/native-decoder.ts"

/** One tensor as the checkpoint stores it, under the name that transformers gives it (GGUF names are translated). */
export interface StoredTensor {
  name: string
  /** Logical shape: of a 4-bit tensor the shape before packing. */
  shape: number[]
  /** As the file names it: "F32", "BF16", "U8", "Q4_1", … */
  dtype: string
  encoding: NativeEncoding
  /** `file` is an index into OpenedModel.files. */
  data: NativeFileSlice
  /** Present for a weight that bitsandbytes quantized; its companions (absmax, quant_map, SCB …) are no tensors of their own here. */
  quantized?: NativeQuantizedSource
  /** GGUF of the architecture "llama": rows of q and k are permuted per head; the number of heads to undo it. */
  unpermuteHeads?: number
  /** GGUF of Gemma: norms are stored 1 larger than transformers has them; what is added to undo it. */
  valueOffset?: number
  /** The file holds the last two dimensions of `shape` the other way round (Conv1D of GPT-2). */
  isTransposed?: boolean
}

/** A tokenizer as `tokenizer.json` describes it; for GGUF it is made from the metadata. */
export interface TokenizerSource {
  /** Content of tokenizer.json, parsed and checked to be an object. */
  json: Record<string, unknown>
  /** Content of tokenizer_config.json, parsed; {} where there is none. `chat_template` may be in it. */
  config: Record<string, unknown>
  /** chat_template.jinja or the template of tokenizer_config.json / the GGUF metadata; null: the model is no chat model. */
  chatTemplate: string | null
}

export interface OpenedModel {
  /** Absolute. */
  path: string
  kind: "folder" | "gguf"
  name: string
  /** "LlamaForCausalLM", … */
  architecture: string
  /** config.json; for GGUF the config.json that transformers would have for this model. */
  config: Record<string, unknown>
  /** generation_config.json, or null. */
  generationConfig: Record<string, unknown> | null
  /** Dtype of the 16/32-bit weights as transformers would load them ("torch_dtype"). */
  dtype: "f32" | "f16" | "bf16"
  /** Absolute paths. */
  files: string[]
  tensors: StoredTensor[]
  decoder: NativeDecoder
  tokenizer: TokenizerSource | null
  /** Ids that end a reply: generation_config, config, tokenizer_config and the template's end-of-turn token, joined. */
  stopTokens: number[]
  /** As `inspect` shows it, with tensors. */
  inspection: ModelInspection
  /** The same model by roles, for the engine. */
  source: NativeModelSource
}
