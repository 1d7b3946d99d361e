// IEEE half precision, as GGUF stores scales.

const room = new DataView(new ArrayBuffer(4))

export function fromHalf(bits: number): number {
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  const sign = bits & 0x8000 ? -1 : 1
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
}

/** Rounds to nearest, ties to even. */
export function toHalf(value: number): number {
  room.setFloat32(0, value)
  const bits = room.getUint32(0)
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude >= 0x7f800000) return sign | 0x7c00 | (magnitude > 0x7f800000 ? 0x200 : 0)
  const size = Math.abs(value)
  if (size >= 65520) return sign | 0x7c00
  // The spacing of halves around the value; below 2^-14 it stays the same.
  const exponent = Math.max((magnitude >>> 23) - 127, -14)
  const steps = size / 2 ** (exponent - 10)
  const whole = Math.floor(steps)
  const rest = steps - whole
  const rounded = whole + (rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? 1 : 0)
  // 1024 .. 2047 steps are a normal number; a carry to 2048 moves on to the next exponent by itself.
  return sign | (exponent === -14 ? rounded : rounded + ((exponent + 14) << 10))
}
