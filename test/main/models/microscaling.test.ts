// MXFP4: parameters made of codes and exponents, and what is no such pair.
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { inspectModel } from "../../../main/models/inspect.ts"
import { joinMicroscaled } from "../../../main/models/microscaling.ts"
import { openQuantizeSource } from "../../../main/models/quantize-source.ts"
import type { FileTensor } from "../../../main/models/tensors.ts"
import { refusal, top } from "./made-files.ts"

const model = join(top, "test/fixtures/architectures/gpt-oss-mxfp4")
const files = ["model.safetensors"]

const u8 = (name: string, shape: number[]): FileTensor => {
  const bytes = shape.reduce((product, size) => product * size, 1)
  return { name, dtype: "U8", encoding: "u8", shape, data: { file: 0, offset: 0, bytes } }
}

const codes = u8("a.experts.down_proj_blocks", [4, 64, 3, 16])
const scales = u8("a.experts.down_proj_scales", [4, 64, 3])
const bias = u8("a.experts.down_proj_bias", [4, 64])

test("codes and exponents are one parameter with the shape of its values", () => {
  const { joined, rest } = joinMicroscaled([codes, bias, scales], files)
  expect(rest).toEqual([bias])
  expect(joined).toEqual([
    {
      name: "a.experts.down_proj",
      dtype: "MXFP4",
      encoding: "u8",
      shape: [4, 64, 96],
      data: codes.data,
      quantized: { format: "fp4", blockSize: 32, absmax: scales.data, isMicroscaling: true },
      bytes: 4 * 64 * 3 * 17,
    },
  ])
})

describe("what is no MXFP4 is refused by name", () => {
  test.each<[string, FileTensor[]]>([
    ["no exponents", [codes]],
    ["other exponents", [codes, { ...scales, shape: [4, 64, 2] }]],
    [
      "blocks of another size",
      [
        { ...codes, shape: [4, 64, 6, 8] },
        { ...scales, shape: [4, 64, 6] },
      ],
    ],
    ["another type", [codes, { ...scales, dtype: "BF16" }]],
    ["a single block", [u8("a_proj_blocks", [3, 16]), u8("a_proj_scales", [3])]],
  ])("%s", async (_, tensors) => {
    expect(await refusal(() => joinMicroscaled(tensors, files))).toMatchObject({
      code: "bad_file",
      message: expect.stringMatching(/^model\.safetensors: tensor a(\.experts\.down)?_proj_blocks/),
    })
  })
})

test("a model in MXFP4 is shown as what it is", async () => {
  const inspection = await inspectModel(model, { withTensors: true })
  expect(inspection).toMatchObject({ supported: true, format: "mixed" })
  expect(inspection.tensors).toContainEqual({
    name: "model.layers.1.mlp.experts.gate_up_proj",
    shape: [4, 64, 64],
    dtype: "MXFP4",
    format: "mxfp4",
    bytes: (4 * 64 * 64) / 2 + (4 * 64 * 64) / 32,
  })
})

test("it is not quantized again", async () => {
  expect(await refusal(() => openQuantizeSource(model))).toMatchObject({ code: "unsupported", message: expect.stringMatching(/MXFP4/) })
})
