// What each tensor of a checkpoint is, by its name and shape: which ones transformers holds as nn.Linear (or GPT-2's Conv1D), and so lets
// bitsandbytes convert, and why the others stay as they are. For models of any kind, also such that cannot run here; the golden list of
// transformers' own answers for its model classes is test/golden/linear-layers.
import { isObject } from "./json.ts"

export interface NamedTensor {
  name: string
  shape: number[]
}

/** `isTransposed`: the file holds [columns, rows]. */
export type TensorPart =
  | { kind: "linear"; isTransposed: boolean }
  /** The experts of a layer: transformers holds them in one parameter per layer, whatever the file does, and in 16 bits. */
  | { kind: "experts"; isTransposed: boolean }
  /** The table that token ids are looked up in. */
  | { kind: "embedding" }
  | { kind: "head" }
  | { kind: "other"; reason: string }

const other = (reason: string): TensorPart => ({ kind: "other", reason })

/** By name. */
export function tensorParts(config: Record<string, unknown>, tensors: readonly NamedTensor[]): Map<string, TensorPart> {
  const model = new Checkpoint(config, tensors)
  return new Map(tensors.map((tensor) => [tensor.name, model.partOf(tensor)]))
}

/** Last parts of the names of tables that rows are looked up in: positions, token types, relative distances. */
const tables =
  /emb(ed(ding|der)?s?)?$|^(embed|embd|emb)_|_emb(ed(ding)?s?)?_|embeddings?_(\d+|table)$|^(wte|wpe|w|shared|pe_k|pos_embed|relative_attention_bias|bias_values|audio_bos_eos_token|tokens_embed|positions_embed)$/
/** Those with one row per token id. */
const tokenTables =
  /^(embed_tokens|wte|word_embeddings?|embed_in|tok_embeddings|shared|embeddings|tokens_embed|embed|token_embedding|w|input_embedding)$/

/** Output heads by their whole name, in front of which stands at most the name of a part of the model. */
const heads =
  /(^|\.)(lm_head|embed_out|unembed|logits_dense|output_projection|pred_layer\.proj|log_softmax\.mlp\.layer0)$|(^|\.)(lm_head|predictions|head)\.decoder$|^(head|output|cls|score|proj_out)$/

/** Weights that transformers multiplies by without a module of class nn.Linear, by the type of the model ("" = of every type). */
const parameters: [types: string[], pattern: RegExp, reason: string][] = [
  [[""], /(^|\.)router$|(^|\.)router\.weight$/, "the router of a mixture of experts"],
  [["granitemoe", "granitemoeshared", "granitemoehybrid"], /\.router\.layer$/, "the router of a mixture of experts"],
  [["t5", "mt5", "umt5", "udop", "pop2piano"], /wo$/, "kept in full precision by transformers"],
  [["blip-2"], /^qformer\./, "kept in full precision by transformers"],
  [["deepseek_v32", "glm_moe_dsa", "axk2", "mistral_large4"], /indexer\.weights_proj$/, "kept in full precision by transformers"],
  [["deepseek_v4"], /compressor\.(wgate|wkv)$|\.weights_proj$|\.wo_a$/, "kept in full precision by transformers"],
  [["gpt_oss"], /\.router\.linear$/, "the router of a mixture of experts"],
  [["hy_v3"], /\.router\.gate$/, "the router of a mixture of experts"],
  [["ibert"], /^(?!lm_head)/, "a layer of a class of its own in transformers"],
  [["mobilebert"], /^cls\.predictions\.dense$/, "a part of the output head"],
  [["voxtral_realtime"], /^(model\.)?multi_modal_projector\.linear_2$/, "the last module, which transformers keeps"],
  [["zamba", "zamba2"], /\.shared_transf(ormer)?\./, "shared by several layers"],
]

class Checkpoint {
  readonly #types: Set<string>
  readonly #names: Set<string>
  /** Lengths of the vectors, by name. */
  readonly #lengths: Map<string, number>
  readonly #shapes: Map<string, number[]>
  /** "model.layers.0.mlp." where there is a model.layers.0.mlp.experts. */
  readonly #expertParents: Set<string>

  constructor(config: Record<string, unknown>, tensors: readonly NamedTensor[]) {
    this.#types = new Set(["", ...modelTypes(config)])
    this.#names = new Set(tensors.map(({ name }) => name))
    this.#lengths = new Map(tensors.flatMap(({ name, shape }) => (shape.length === 1 ? [[name, shape[0] as number]] : [])))
    this.#expertParents = new Set(tensors.flatMap(({ name }) => parentOfExperts(name) ?? []))
    this.#shapes = new Map(tensors.map(({ name, shape }) => [name, shape]))
  }

  partOf({ name, shape }: NamedTensor): TensorPart {
    if (shape.includes(0)) return other("empty")
    if (shape.length === 3 && isExpertsName(name)) return { kind: "experts", isTransposed: this.#hasTransposedExperts(name) }
    if (shape.length < 2) return other("a vector")
    if (shape.length > 2) return other("not a matrix: a convolution or another parameter")
    if (!name.endsWith(".weight")) return other("a parameter that is no linear layer's weight")
    return this.#partOfMatrix(name.slice(0, -".weight".length), shape)
  }

  #partOfMatrix(module: string, shape: number[]): TensorPart {
    const last = module.slice(module.lastIndexOf(".") + 1)
    if (heads.test(module)) return { kind: "head" }
    if (/norm$/.test(last)) return other("a norm")
    if (tables.test(last) && !this.#isProjection(module, last))
      return tokenTables.test(last) ? { kind: "embedding" } : other("a table that is looked up in")
    if (/(^|\.)experts\.(\d+\.|\w+_projs\.\d+$)/.test(module)) return { kind: "experts", isTransposed: false }
    if (last === "gate" && this.#hasExpertsBeside(module)) return other("the router of a mixture of experts")
    if (last === "out_proj" && this.#names.has(module.replace(/out_proj$/, "in_proj_weight")))
      return other("a part of PyTorch's own attention")
    for (const [types, pattern, reason] of parameters) {
      if (types.some((type) => this.#types.has(type)) && pattern.test(module)) return other(reason)
    }
    return { kind: "linear", isTransposed: this.#isConv1d(module, last, shape) }
  }

  /** A table has no bias, but what projects patches of an image is called an embedding too. */
  #isProjection(module: string, last: string): boolean {
    return this.#lengths.has(`${module}.bias`) || /^patch_embedding$|_(projection|dense)$/.test(last)
  }

  #hasExpertsBeside(module: string): boolean {
    return this.#expertParents.has(module.slice(0, module.lastIndexOf(".") + 1))
  }

  /** GPT-2 and its kin: y = x W + b with W [in, out]. The length of the bias tells, of square ones that of their neighbors. */
  #isConv1d(module: string, last: string, [rows, columns]: number[]): boolean {
    if (!/^(c_attn|c_proj|c_fc|q_attn)$/.test(last)) return false
    if (rows !== columns) return this.#lengths.get(`${module}.bias`) === columns
    const neighbor = module.replace(/(attn|crossattention|mlp)\.\w+$/, "attn.c_attn")
    const shape = this.#shapes.get(`${neighbor}.weight`)
    return shape !== undefined && shape[0] !== shape[1] && this.#lengths.get(`${neighbor}.bias`) === shape[1]
  }

  /** Of gate and up [E, 2F, C] and down [E, C, F] the sizes tell; gpt-oss and Llama 4 have the last two the other way round. */
  #hasTransposedExperts(name: string): boolean {
    const up = this.#shapes.get(name.replace(/down_proj/, "gate_up_proj"))
    const down = this.#shapes.get(name.replace(/gate_up_proj/, "down_proj"))
    if (!up || !down || up.length !== 3 || down.length !== 3) return false
    return up[2] === 2 * (down[1] as number) && up[1] === down[2]
  }
}

function parentOfExperts(name: string): string | null {
  if (name.startsWith("experts")) return ""
  const at = name.indexOf(".experts")
  return at < 0 ? null : name.slice(0, at + 1)
}

function isExpertsName(name: string): boolean {
  return /(^|\.)experts\./.test(name) || /(^|\.)(input|output)_linear\.weight$/.test(name)
}

/** `model_type` of the model and of its parts. */
function modelTypes(config: Record<string, unknown>): string[] {
  const own = typeof config.model_type === "string" ? [config.model_type] : []
  return [...own, ...Object.values(config).flatMap((value) => (isObject(value) ? modelTypes(value) : []))]
}
