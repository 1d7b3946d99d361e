import { expect, test } from "vitest"
import { longestQuantState, pythonFloat, quantState } from "../../../main/engine/quant-state.ts"

// Each checked with Python's repr().
test.each([
  [0.249969482421875, "0.249969482421875"],
  [0.01854655146598816, "0.01854655146598816"],
  [1, "1.0"],
  [0, "0.0"],
  [-0, "-0.0"],
  [123456, "123456.0"],
  [1e15, "1000000000000000.0"],
  [1e16, "1e+16"],
  [1.5e300, "1.5e+300"],
  [0.0001, "0.0001"],
  [0.00001, "1e-05"],
  [1.234e-7, "1.234e-07"],
  [5e-324, "5e-324"],
  [Math.fround(3.1e-5), "3.099999958067201e-05"],
  [-2.5, "-2.5"],
])("%d as Python writes it", (value, text) => {
  expect(pythonFloat(value)).toBe(text)
})

test("the text of bitsandbytes, byte for byte", () => {
  const spec = { format: "nf4" as const, blockSize: 64, isNested: true }
  const described = { spec, dtype: "float16", shape: [4, 64] }
  const text = quantState(described, pythonFloat(0.249969482421875))
  expect(text).toBe(
    '{"quant_type": "nf4", "blocksize": 64, "dtype": "float16", "shape": [4, 64], "nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": 0.249969482421875}',
  )
  expect(text).toHaveLength(164)
  expect(quantState({ ...described, spec: { ...spec, isNested: false } }, null)).toHaveLength(76)
  expect(longestQuantState(described)).toBeGreaterThan(164)
})
