// MXFP4 as gpt-oss is published in it: of a parameter P the codes lie in P_blocks and the exponents of their blocks in P_scales, both
// with the rows of a linear layer: [experts, out, in]. native/model/decoder.h says how the bytes are read.
import { AppError } from "../../shared/schema/error.ts"
import { damagedHint } from "./bounded-file.ts"
import { type FileTensor, isSameShape, type ModelTensor, shapeText } from "./tensors.ts"

const blockSize = 32
const codesName = /_proj_blocks$/

export function hasMicroscaled(tensors: { name: string }[]): boolean {
  return tensors.some(({ name }) => codesName.test(name))
}

/** `joined`: the parameters; `rest`: all that is no part of one. `files`: the paths that the slices index. Throws bad_file. */
export function joinMicroscaled(tensors: FileTensor[], files: string[]): { joined: ModelTensor[]; rest: FileTensor[] } {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]))
  const taken = new Set<string>()
  const joined = tensors
    .filter(({ name }) => codesName.test(name))
    .map((codes) => {
      const scales = byName.get(codes.name.replace(/blocks$/, "scales"))
      const parameter = join(codes, scales, files)
      for (const part of [codes, scales]) if (part) taken.add(part.name)
      return parameter
    })
  return { joined, rest: tensors.filter(({ name }) => !taken.has(name)) }
}

function join(codes: FileTensor, scales: FileTensor | undefined, files: string[]): ModelTensor {
  const what = `${files[codes.data.file]}: tensor ${codes.name}`
  const name = codes.name.replace(/_blocks$/, "")
  if (!scales) throw new AppError("bad_file", `${what} lacks ${name}_scales, the exponents of its blocks.`, damagedHint)
  const blocks = codes.shape.slice(0, -1)
  const isRight = codes.dtype === "U8" && scales.dtype === "U8" && codes.shape.length > 2 && codes.shape.at(-1) === blockSize / 2
  if (!isRight || !isSameShape(blocks, scales.shape)) {
    const found = `${codes.dtype} ${shapeText(codes.shape)} with ${scales.dtype} ${shapeText(scales.shape)}`
    throw new AppError("bad_file", `${what}: ${found} is no MXFP4, which has 16 bytes and one exponent for a block.`, damagedHint)
  }
  return {
    name,
    dtype: "MXFP4",
    encoding: "u8",
    shape: [...blocks.slice(0, -1), (blocks.at(-1) as number) * blockSize],
    data: codes.data,
    quantized: { format: "fp4", blockSize, absmax: scales.data, isMicroscaling: true },
    bytes: codes.data.bytes + scales.data.bytes,
  }
}
