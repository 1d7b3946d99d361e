// A checkpoint that is in no file: its tensors stand where the writer would put them, so that the readers can be asked what they make of it.
import { encodingOf, type PlacedTensor, safetensorsHeader, safetensorsOrder } from "../models/safetensors.ts"
import type { FileTensor } from "../models/tensors.ts"

export interface PlannedCheckpoint {
  /** No file has these names. */
  files: string[]
  tensors: FileTensor[]
  /** Of all files, their headers counted. */
  fileBytes: number
}

/** `shards`: the tensors of each file, in any order. */
export function plannedCheckpoint(folder: string, shards: PlacedTensor[][]): PlannedCheckpoint {
  const files = shards.map((_, i) => `${folder}/planned-${i + 1}.safetensors`)
  let fileBytes = 0
  const tensors = shards.flatMap((shard, file) => {
    const ordered = safetensorsOrder(shard)
    const { header, offsets } = safetensorsHeader(ordered, { format: "pt" })
    fileBytes += header.length + ordered.reduce((sum, { bytes }) => sum + bytes, 0)
    return ordered.map(({ name, dtype, shape, bytes }, i) => ({
      name,
      dtype,
      encoding: encodingOf(dtype),
      shape,
      data: { file, offset: header.length + (offsets[i] as number), bytes },
    }))
  })
  return { files, tensors, fileBytes }
}
