// The table of bits per weight in docs/formats.md is what the layout of a written checkpoint gives.
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import type { NativeQuantizeSpec } from "../../../main/engine/addon-types.ts"
import { planTensor } from "../../../main/engine/checkpoint-layout.ts"
import type { ModelTensor } from "../../../main/models/tensors.ts"

const blockSizes = [32, 64, 128, 256, 512, 1024, 2048, 4096]
const page = readFileSync(new URL("../../../docs/formats.md", import.meta.url), "utf8")

function bitsPerWeight(spec: NativeQuantizeSpec): number {
  const shape = [4096, 4096]
  const bytes = 2 * 4096 * 4096
  const source: ModelTensor = { name: "x.weight", dtype: "BF16", encoding: "bf16", shape, data: { file: 0, offset: 0, bytes }, bytes }
  const { entries, parameters } = planTensor(source, { kind: "quantize", spec, isTransposed: false }, "bf16")
  const perTensor = /quant_map$|quant_state|_format$/
  return entries.filter(({ name }) => !perTensor.test(name)).reduce((bits, entry) => bits + 8 * entry.bytes, 0) / parameters
}

/** The cells of the table's row that begins with this name. */
function row(name: string): string[] {
  const line = page.split("\n").find((one) => one.split("|")[1]?.trim() === name)
  return (line ?? "")
    .split("|")
    .slice(2, -1)
    .map((cell) => cell.trim())
}

describe("bits per weight in docs/formats.md", () => {
  for (const isNested of [false, true]) {
    const suffix = isNested ? "-dq" : ""
    it(`nf4${suffix} and fp4${suffix}`, () => {
      for (const format of ["nf4", "fp4"] as const) {
        const bits = blockSizes.map((blockSize) => bitsPerWeight({ format, blockSize, isNested }).toFixed(4))
        expect(row(`nf4${suffix}, fp4${suffix}`)).toEqual(bits)
      }
    })
  }

  it("int8", () => expect(row("int8")[0]).toBe(bitsPerWeight({ format: "int8", blockSize: 64, isNested: false }).toFixed(4)))
})
