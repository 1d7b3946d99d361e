// Gives every tensor of a checkpoint its role in the decoder, and checks that each is there with the shape that config.json says.
import { AppError } from "../../shared/schema/error.ts"
import type { NativeTensor } from "../engine/addon-types.ts"
import { damagedHint } from "./bounded-file.ts"
import type { ModelDescription } from "./describe.ts"
import type { ExpectedTensor } from "./expected-tensors.ts"
import type { StoredTensor } from "./opened-model.ts"
import { isSameShape, type ModelTensor, shapeText } from "./tensors.ts"

export interface AssignedTensor {
  stored: StoredTensor
  expected: ExpectedTensor
}

/** In the order of `expected`. Tensors that the decoder has no use for are left out. `what` begins messages: the model's path. */
export function assignRoles({ decoder, expected }: ModelDescription, tensors: ModelTensor[], what: string): AssignedTensor[] {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]))
  return expected.map((wanted) => {
    const tensor = byName.get(wanted.name)
    if (!tensor) {
      const shape = shapeText(wanted.shape)
      throw new AppError(
        "bad_file",
        `${what}: tensor ${wanted.name} is missing; ${decoder.architecture} needs it with shape ${shape}.`,
        damagedHint,
      )
    }
    const shape = storedShape(wanted, tensor)
    if (!isSameShape(tensor.shape, shape)) {
      const shapes = `has shape ${shapeText(tensor.shape)}, expected ${shapeText(shape)}`
      throw new AppError("bad_file", `${what}: tensor ${wanted.name} ${shapes} by the model's configuration.`)
    }
    return { stored: readable(tensor, wanted, what), expected: wanted }
  })
}

/** bitsandbytes turns a transposed matrix before it quantizes it. */
function storedShape({ shape, isTransposed }: ExpectedTensor, tensor: ModelTensor): number[] {
  if (!isTransposed || tensor.quantized) return shape
  return [...shape.slice(0, -2), ...shape.slice(-2).reverse()]
}

function readable(tensor: ModelTensor, { name, shape, isTransposed }: ExpectedTensor, what: string): StoredTensor {
  const { bytes: _, encoding, ...rest } = tensor
  if (encoding === null) throw new AppError("unsupported", `Tensor ${name} is stored as ${tensor.dtype}, which is not supported yet.`)
  if (!tensor.quantized && (encoding === "i8" || encoding === "u8")) {
    throw new AppError(
      "bad_file",
      `${what}: tensor ${name} holds ${tensor.dtype} codes without the scales that would make them weights.`,
      damagedHint,
    )
  }
  if (tensor.quantized && shape.length < 2) {
    throw new AppError("bad_file", `${what}: tensor ${name} of shape ${shapeText(shape)} is quantized; only matrices can be.`)
  }
  return isTransposed && !tensor.quantized ? { ...rest, shape, encoding, isTransposed } : { ...rest, encoding }
}

export function nativeTensor({ stored, expected }: AssignedTensor): NativeTensor {
  const { name, data, encoding, shape, quantized, unpermuteHeads, valueOffset, isTransposed } = stored
  return {
    role: expected.role,
    name,
    data,
    encoding,
    shape,
    ...(quantized ? { quantized } : {}),
    ...(unpermuteHeads ? { unpermuteHeads } : {}),
    ...(valueOffset ? { valueOffset } : {}),
    ...(isTransposed ? { isTransposed } : {}),
    isLinear: expected.isLinear,
  }
}
