// The tensors that a checkpoint of a decoder must have: the roles of native/model/decoder.h, as native/model/weights.cc asks for
// them, under the names that the architecture gives.
import { AppError } from "../../shared/schema/error.ts"
import type { NativeDecoder } from "../engine/native-decoder.ts"
import type { Difference, EndRole, LayerRole, Role, TensorName, TensorNames } from "./architectures/architecture.ts"

export interface ExpectedTensor {
  /** In transformers. */
  name: string
  role: string
  /** As the decoder uses it. */
  shape: number[]
  /** A linear layer that bitsandbytes' default rule converts. */
  isLinear: boolean
  /** 16- and 32-bit files hold the last two dimensions the other way round. */
  isTransposed?: boolean
}

type FfnPart = "gate" | "up" | "gate_up" | "down"

const notConverted = new Set<Role>(["embed", "positions", "head", "router"])

export class Expectation {
  readonly tensors: ExpectedTensor[] = []
  readonly #decoder: NativeDecoder
  readonly #names: TensorNames
  readonly #biases: Set<Role>
  readonly #transposed: Set<Role>

  constructor(decoder: NativeDecoder, names: TensorNames, { biases = [], transposed = [] }: Difference) {
    this.#decoder = decoder
    this.#names = names
    this.#biases = new Set(biases)
    this.#transposed = new Set(transposed)
    this.#addAll()
  }

  #addAll(): void {
    const { width, embedWidth, vocabSize, nPositions, nLayers } = this.#decoder
    this.#end("embed", [vocabSize, embedWidth])
    if (embedWidth !== width) this.#end("embed_in", [width, embedWidth])
    if (nPositions > 0) this.#end("positions", [nPositions, width])
    if (this.#decoder.hasEmbedNorm) this.#endNorm("embed_norm")
    for (let i = 0; i < nLayers; i++) this.#layer(i)
    if (this.#decoder.hasFinalNorm) this.#endNorm("final_norm")
    if (embedWidth !== width) this.#end("embed_out", [embedWidth, width])
    if (!this.#decoder.hasTiedHead) this.#end("head", [vocabSize, embedWidth])
    else if (this.#biases.has("head")) this.#bias("head", "head", this.#name(this.#names.ends.head, "head", ""), [vocabSize])
  }

  #layer(i: number): void {
    const { normPlace, hasSharedNorm, qkv, hasSinks, nHeads, valueDim, width, layers, ffn, ffnWidth } = this.#decoder
    const norm = (role: LayerRole) => this.#inLayerNorm(i, role, [width])
    const hasInput = normPlace !== "after"
    const hasOutput = normPlace === "after" || normPlace === "around"
    if (hasInput) norm("attn_norm")
    if (qkv === "latent") this.#latent(i)
    else this.#attention(i)
    if (hasSinks) this.#inLayer(i, "sinks", [nHeads], false)
    this.#inLayer(i, "o", [width, nHeads * valueDim])
    if (hasOutput) norm("attn_post_norm")
    if (hasInput && !hasSharedNorm) norm("mlp_norm")
    if (layers[i]?.hasExperts) this.#experts(i)
    else this.#ffn(ffn, ffnWidth, (part, shape) => this.#inLayer(i, part, shape))
    if (hasOutput) norm("mlp_post_norm")
  }

  #attention(i: number): void {
    const { width, nHeads, nKvHeads, headDim, valueDim, qkv, qkNorm } = this.#decoder
    const [q, k, v] = [nHeads * headDim, nKvHeads * headDim, nKvHeads * valueDim]
    if (qkv === "separate") {
      this.#inLayer(i, "q", [q, width])
      this.#inLayer(i, "k", [k, width])
      this.#inLayer(i, "v", [v, width])
    } else this.#inLayer(i, "qkv", [q + k + v, width])
    if (qkNorm === "none") return
    const shape = (heads: number) => (qkNorm === "shared" ? [headDim] : qkNorm === "own" ? [heads, headDim] : [heads * headDim])
    this.#inLayerNorm(i, "q_norm", shape(nHeads))
    this.#inLayerNorm(i, "k_norm", shape(nKvHeads))
  }

  #latent(i: number): void {
    const { width, nHeads, headDim, valueDim, latent, ropes } = this.#decoder
    const rotary = ropes[0]?.rotaryDim ?? 0
    if (latent.qRank === 0) this.#inLayer(i, "q", [nHeads * headDim, width])
    else {
      this.#inLayer(i, "q_a", [latent.qRank, width])
      this.#inLayerNorm(i, "q_a_norm", [latent.qRank])
      this.#inLayer(i, "q_b", [nHeads * headDim, latent.qRank])
    }
    this.#inLayer(i, "kv_a", [latent.kvRank + rotary, width])
    this.#inLayerNorm(i, "kv_a_norm", [latent.kvRank])
    this.#inLayer(i, "kv_b", [nHeads * (headDim - rotary + valueDim), latent.kvRank])
  }

  #ffn(layout: NativeDecoder["ffn"], hidden: number, add: (part: FfnPart, shape: number[]) => void): void {
    const { width } = this.#decoder
    if (layout === "gated") add("gate", [hidden, width])
    if (layout === "gated" || layout === "plain") add("up", [hidden, width])
    else add("gate_up", [2 * hidden, width])
    add("down", [width, hidden])
  }

  #experts(i: number): void {
    const { width, experts, ffn } = this.#decoder
    this.#inLayer(i, "router", [experts.nExperts, width])
    if (experts.hasCorrection) this.#inLayer(i, "router_correction", [experts.nExperts], false)
    // transformers holds all experts in one parameter, which bitsandbytes leaves alone, however the file has them.
    this.#ffn(experts.layout, experts.ffnWidth, (part, shape) => {
      const role: LayerRole = `experts.${part}`
      if (typeof this.#names.inLayer[role] === "object") return this.#inLayer(i, role, [experts.nExperts, ...shape], false)
      for (let e = 0; e < experts.nExperts; e++) {
        this.#add(
          role,
          `layers.${i}.experts.${e}.${part}`,
          this.#layerName(i, role, (name) => name.replace("{e}", String(e))),
          shape,
          false,
        )
      }
    })
    // As in a layer without experts: the shared one is a module of that kind.
    if (experts.sharedWidth > 0) {
      this.#ffn(ffn, experts.sharedWidth, (part, shape) => this.#inLayer(i, `shared.${part}`, shape))
    }
    if (experts.hasSharedGate) this.#inLayer(i, "shared_gate", [1, width])
  }

  #end(role: EndRole, shape: number[]): void {
    this.#add(role, role, this.#name(this.#names.ends[role], role, role === "head" ? "" : this.#names.prefix), shape, true)
  }

  #endNorm(role: EndRole): void {
    if (!this.#decoder.hasNormWeights) return
    this.#add(role, role, this.#name(this.#names.ends[role], role, this.#names.prefix), [this.#decoder.width], false)
  }

  #inLayer(i: number, role: LayerRole, shape: number[], isLinear = true): void {
    this.#add(role, `layers.${i}.${role}`, this.#layerName(i, role), shape, isLinear)
  }

  /** Norms of heads may be a tensor each. */
  #inLayerNorm(i: number, role: LayerRole, shape: number[]): void {
    if (!this.#decoder.hasNormWeights) return
    const name = this.#names.inLayer[role]
    if (typeof name !== "string" || !name.includes("{h}")) {
      this.#inLayer(i, role, shape, false)
      return
    }
    const [heads = 1, headDim = 1] = shape
    for (let h = 0; h < heads; h++) {
      this.#add(
        role,
        `layers.${i}.${role}.${h}`,
        this.#layerName(i, role, (text) => text.replace("{h}", String(h))),
        [headDim],
        false,
      )
    }
  }

  #layerName(i: number, role: LayerRole, fill: (name: string) => string = (name) => name): TensorName {
    return this.#name(this.#names.inLayer[role], role, `${this.#names.prefix}${this.#names.layers}.${i}.`, fill)
  }

  #name(name: TensorName | undefined, role: Role, prefix: string, fill: (name: string) => string = (text) => text): TensorName {
    if (name === undefined) throw new AppError("internal", `${this.#decoder.architecture} has no name for the role ${role}.`)
    if (typeof name === "string") return prefix + fill(name)
    return { parameter: prefix + fill(name.parameter), ...(name.bias === undefined ? {} : { bias: prefix + fill(name.bias) }) }
  }

  #add(kind: Role, role: string, name: TensorName, shape: number[], canBeLinear: boolean): void {
    const isTransposed = this.#transposed.has(kind)
    this.tensors.push({
      name: typeof name === "string" ? `${name}.weight` : name.parameter,
      role,
      shape,
      isLinear: canBeLinear && !notConverted.has(kind),
      ...(isTransposed ? { isTransposed } : {}),
    })
    if (this.#biases.has(kind)) this.#bias(kind, role, name, kind.endsWith("_norm") ? shape : shape.slice(0, -1))
  }

  #bias(kind: Role, role: string, name: TensorName, shape: number[]): void {
    const biasName = typeof name === "string" ? `${name}.bias` : name.bias
    if (biasName === undefined) throw new AppError("internal", `${this.#decoder.architecture} has no name for the bias of ${kind}.`)
    this.tensors.push({ name: biasName, role: `${role}.bias`, shape, isLinear: false })
  }
}
