// The reader against files of Python's safetensors and against hostile ones; the writer against the bytes that Python wrote.
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { readSafetensors, safetensorsHeader, safetensorsOrder } from "../../../main/models/safetensors.ts"
import { models, refusal, safetensorsBytes, temporaryFolder } from "./made-files.ts"

const folder = temporaryFolder()
let made = 0

function file(bytes: Buffer): string {
  const path = join(folder, `${made++}.safetensors`)
  writeFileSync(path, bytes)
  return path
}

const written = readdirSync(models, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".safetensors"))

test("there are fixtures of both kinds", () => {
  expect(written).toContain("llama-int8/model.safetensors")
  expect(written).toContain("llama-tied-sharded/model-00002-of-00003.safetensors")
})

for (const name of written) {
  test(`${name}: read, and its header written again as Python wrote it`, async () => {
    const path = join(models, name)
    const { metadata, tensors } = await readSafetensors(path)
    const about = tensors.map((tensor) => ({ name: tensor.name, dtype: tensor.dtype, shape: tensor.shape, bytes: tensor.data.bytes }))
    expect(safetensorsOrder(about.toReversed())).toEqual(about)
    const { header, offsets } = safetensorsHeader(about, metadata)
    expect(readFileSync(path).subarray(0, header.length).equals(header)).toBe(true)
    expect(offsets).toEqual(tensors.map(({ data }) => data.offset - header.length))
    expect(header.length % 8).toBe(0)
  })
}

test("every type is ordered by its alignment, then by the bytes of the name", () => {
  const tensors = ["U8/b", "F32/\u{1F600}", "F32/\uFFFD", "I64/a", "BF16/a", "I8/a", "F16/a", "U8/a", "F32/B", "F32/a", "BOOL/a"]
  const order = safetensorsOrder(tensors.map((text) => ({ dtype: text.split("/")[0] as string, name: text.split("/")[1] as string })))
  expect(order.map(({ dtype, name }) => `${dtype}/${name}`)).toEqual([
    ...["I64/a", "F32/B", "F32/a", "F32/\uFFFD", "F32/\u{1F600}", "BF16/a", "F16/a", "I8/a", "U8/a", "U8/b", "BOOL/a"],
  ])
})

test("a header that lies about sizes or names is not written", async () => {
  const tensor = { name: "a", dtype: "F32", shape: [2, 3], bytes: 24 }
  expect(safetensorsHeader([tensor]).header.subarray(8).toString()).toBe('{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}       ')
  for (const bad of [[{ ...tensor, bytes: 25 }], [{ ...tensor, dtype: "F33" }], [tensor, tensor], [{ ...tensor, name: "__metadata__" }]]) {
    expect((await refusal(() => safetensorsHeader(bad))).code).toBe("bad_input")
  }
})

test("an empty file of tensors, sub-byte types and tensors without elements", async () => {
  expect((await readSafetensors(file(safetensorsBytes("{}")))).tensors).toEqual([])
  const header = '{"a":{"dtype":"F4","shape":[3,2],"data_offsets":[0,3]},"e":{"dtype":"F32","shape":[0,5],"data_offsets":[3,3]}}'
  const { tensors } = await readSafetensors(file(safetensorsBytes(header, 3)))
  expect(tensors.map(({ name, encoding, data }) => [name, encoding, data.bytes])).toEqual([
    ["a", null, 3],
    ["e", "f32", 0],
  ])
})

const one = (entry: string) => `{"a":${entry}}`
const good = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
const refused: [name: string, header: string, dataBytes: number, message: RegExp][] = [
  ["data missing", one(good), 7, /tensor a ends at byte \d+, but the file has only/],
  ["data left over", one(good), 9, /has 1 bytes after its last tensor/],
  ["not an object", "[1, 2]", 0, /does not begin with/],
  ["a space first", ` ${one(good)}`, 8, /does not begin with/],
  ["not JSON", '{"a":', 0, /not valid JSON/],
  ["NaN", '{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}', 8, /not valid JSON/],
  ["a name twice", `{"a":${good},"a":${good}}`, 8, /gives "a" twice/],
  ["unknown type", one('{"dtype":"F33","shape":[2],"data_offsets":[0,8]}'), 8, /tensor a has the unknown type "F33"/],
  [
    "wrong product",
    one('{"dtype":"F32","shape":[3],"data_offsets":[0,8]}'),
    8,
    /tensor a of shape \[3\] .* takes 12 bytes, but the file gives it 8/,
  ],
  ["overflowing product", one(`{"dtype":"F32","shape":[${2 ** 40},${2 ** 40}],"data_offsets":[0,8]}`), 8, /impossible number/],
  ["wrapping product", one('{"dtype":"F32","shape":[4294967296,4294967296,1],"data_offsets":[0,0]}'), 0, /impossible number/],
  ["half a byte", one('{"dtype":"F4","shape":[3],"data_offsets":[0,2]}'), 2, /impossible number/],
  ["negative dimension", one('{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}'), 8, /tensor a: shape\.0 is -2/],
  ["dimension with a fraction", one('{"dtype":"F32","shape":[2.5],"data_offsets":[0,10]}'), 10, /shape\.0 is 2\.5/],
  ["dimension of 2^60", one(`{"dtype":"U8","shape":[${2 ** 60}],"data_offsets":[0,8]}`), 8, /shape\.0/],
  ["offset of 2^63", one('{"dtype":"F32","shape":[2],"data_offsets":[0,9223372036854775808]}'), 8, /data_offsets\.1/],
  ["offset of 1e400", one('{"dtype":"F32","shape":[2],"data_offsets":[0,1e400]}'), 8, /data_offsets\.1/],
  ["end before begin", one('{"dtype":"F32","shape":[2],"data_offsets":[8,0]}'), 8, /ends at byte 0, before it begins at 8/],
  [
    "offset past the end",
    one('{"dtype":"F32","shape":[2],"data_offsets":[800,808]}'),
    8,
    /begins at byte \d+ and leaves a hole after the header/,
  ],
  ["overlap", `{"a":${good},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12, /tensor b begins .* overlaps tensor a/],
  ["the same bytes twice", `{"a":${good},"b":${good}}`, 8, /overlaps tensor a/],
  ["a hole", `{"a":${good},"b":{"dtype":"F32","shape":[2],"data_offsets":[16,24]}}`, 24, /tensor b .* leaves a hole after tensor a/],
  ["three offsets", one('{"dtype":"F32","shape":[2],"data_offsets":[0,4,8]}'), 8, /data_offsets/],
  ["no shape", one('{"dtype":"F32","data_offsets":[0,8]}'), 8, /tensor a lacks shape/],
  ["unknown field", one('{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}'), 8, /tensor a/],
  ["metadata of numbers", '{"__metadata__":{"a":1}}', 0, /__metadata__: a is 1/],
  ["entry null", one("null"), 0, /tensor a/],
  ["a bomb", one("[".repeat(100_000)), 0, /nested deeper/],
]
for (const [name, header, dataBytes, message] of refused) {
  test(`refused: ${name}`, async () => {
    const error = await refusal(() => readSafetensors(file(safetensorsBytes(header, dataBytes))))
    expect(error).toMatchObject({ code: "bad_file", message: expect.stringMatching(message) })
    expect(error.message).toContain(folder)
  })
}

test("prototype names are names like others", async () => {
  const header = `{"__proto__":${good},"constructor":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}`
  const { tensors } = await readSafetensors(file(safetensorsBytes(header, 9)))
  expect(tensors.map(({ name }) => name)).toEqual(["__proto__", "constructor"])
})

test("a header length beyond the file or the limit is not believed", async () => {
  for (const length of [2n ** 63n, 2n ** 64n - 1n, 2n ** 53n, 100_000_001n, 3n]) {
    const bytes = safetensorsBytes("{}")
    bytes.writeBigUInt64LE(length)
    expect(await refusal(() => readSafetensors(file(bytes)))).toMatchObject({
      code: "bad_file",
      message: expect.stringContaining(`${length} bytes`),
    })
  }
})

test("a file cut anywhere is refused", async () => {
  const whole = readFileSync(join(models, "llama-nf4-dq/model.safetensors"))
  const header = 8 + Number(whole.readBigUInt64LE())
  for (const length of [0, 1, 7, 8, 9, 100, header - 1, header, header + 1, whole.length - 1]) {
    expect((await refusal(() => readSafetensors(file(whole.subarray(0, length))))).code).toBe("bad_file")
  }
})

test("a header that is no UTF-8 is refused", async () => {
  const bytes = safetensorsBytes(one(good), 8)
  bytes[10] = 0xff
  expect((await refusal(() => readSafetensors(file(bytes)))).message).toMatch(/not UTF-8/)
})

test("what is no file is refused by what it is", async () => {
  const loop = join(folder, "loop.safetensors")
  symlinkSync(loop, loop)
  expect(await refusal(() => readSafetensors(loop))).toMatchObject({
    code: "bad_file",
    message: expect.stringContaining("leads back to itself"),
  })
  expect(await refusal(() => readSafetensors(folder))).toMatchObject({ code: "bad_input", message: expect.stringContaining("is a folder") })
  expect((await refusal(() => readSafetensors(join(folder, "none")))).code).toBe("not_found")
  expect((await refusal(() => readSafetensors("a\0b"))).code).toBe("bad_input")
  expect((await refusal(() => readSafetensors("a".repeat(10_000)))).code).toBe("bad_input")
})
