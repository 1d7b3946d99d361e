// The text in X.weight.quant_state.bitsandbytes__*: what Python's json.dumps writes, byte for byte.
import type { NativeQuantizeSpec } from "./addon-types.ts"

interface Described {
  spec: NativeQuantizeSpec
  /** Of the weight before it was quantized, as torch names it. */
  dtype: string
  shape: number[]
}

export function quantState({ spec, dtype, shape }: Described, nestedOffset: string | null): string {
  const plain = `{"quant_type": "${spec.format}", "blocksize": ${spec.blockSize}, "dtype": "${dtype}", "shape": [${shape.join(", ")}]`
  if (!spec.isNested) return `${plain}}`
  return `${plain}, "nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": ${nestedOffset}}`
}

/** No longer text exists: a double needs at most 17 digits, a sign, a point and an exponent of five characters. */
export function longestQuantState(described: Described): number {
  return quantState(described, "-1.2345678901234567e-308").length
}

/** repr() of Python's float: the shortest digits that give the number back, as JavaScript finds them, in Python's notation. */
export function pythonFloat(value: number): string {
  const [digits = "0", exponentText] = value.toExponential().split("e")
  const exponent = Number(exponentText)
  if (value !== 0 && (exponent < -4 || exponent >= 16)) {
    return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`
  }
  // Within these bounds JavaScript writes no exponent but for numbers below 1e-6, which Python has written with one above.
  const text = Object.is(value, -0) ? "-0" : String(value)
  return text.includes(".") ? text : `${text}.0`
}
