// The tensors of a model as a map: a row for each kind of layer, a column for each layer of the model.
import type { TensorError } from "../../../shared/schema/addition.ts"

export interface TensorMap {
  kinds: string[]
  layers: number
  /** By kind, then by layer; null: not quantized yet; undefined: there is no such tensor. */
  cells: (number | null | undefined)[][]
  /** Of those that are known. */
  least: number
  most: number
  /** Tensors that are in no layer. */
  others: TensorError[]
}

/** "model.layers.12.self_attn.q_proj.weight" → layer 12, "self_attn.q_proj". Experts of a layer count as one: their mean. */
function placeOf(name: string): { layer: number; kind: string } | null {
  const [, layer, rest] = /\.(\d+)\.(.+)$/.exec(name.replace(/\.weight$/, "")) ?? []
  if (layer === undefined || rest === undefined) return null
  return {
    layer: Number(layer),
    kind: rest.replace(/experts\.\d+\./, "experts.").replace(/^(self_attn|attention|attn|mlp|block_sparse_moe)\./, ""),
  }
}

export function tensorMap(tensors: readonly TensorError[]): TensorMap {
  const sums = new Map<string, Map<number, { known: number; sum: number }>>()
  const others: TensorError[] = []
  for (const { name, error } of tensors) {
    // The first number in a name is that of the layer; those of experts come later.
    const first = /^(.*?\.)(\d+)\.(.+)$/.exec(name)
    const place = first ? placeOf(`.${first[2]}.${first[3]}`) : null
    if (!place) {
      others.push({ name, error })
      continue
    }
    const row = sums.get(place.kind) ?? new Map<number, { known: number; sum: number }>()
    const cell = row.get(place.layer) ?? { known: 0, sum: 0 }
    row.set(place.layer, error === null ? cell : { known: cell.known + 1, sum: cell.sum + error })
    sums.set(place.kind, row)
  }
  const layers = Math.max(0, ...[...sums.values()].flatMap((row) => [...row.keys()])) + (sums.size > 0 ? 1 : 0)
  const cells = [...sums.values()].map((row) =>
    Array.from({ length: layers }, (_, layer) => {
      const cell = row.get(layer)
      return cell && (cell.known > 0 ? cell.sum / cell.known : null)
    }),
  )
  const known = cells.flat().filter((error) => error !== null && error !== undefined)
  return { kinds: [...sums.keys()], layers, cells, least: Math.min(...known), most: Math.max(...known), others }
}

/** 0 .. 1 within what is known; 1 where all are the same. */
export function shadeOf(error: number, { least, most }: Pick<TensorMap, "least" | "most">): number {
  return most > least ? (error - least) / (most - least) : 1
}
