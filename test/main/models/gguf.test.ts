// The header reader against files of the gguf package and against hostile ones.
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { readGguf } from "../../../main/models/gguf.ts"
import { ggufBytes, ggufNumber, ggufStart, ggufTensor, ggufText, models, packed, refusal, temporaryFolder } from "./made-files.ts"

const folder = temporaryFolder()
let made = 0

function file(bytes: Buffer): string {
  const path = join(folder, `${made++}.gguf`)
  writeFileSync(path, bytes)
  return path
}

test("metadata and tensors of a file of the gguf package", async () => {
  const { version, metadata, tensors } = await readGguf(join(models, "gguf/llama-spm-mixed.gguf"))
  expect(version).toBe(3)
  expect(metadata).toMatchObject({
    "general.architecture": "llama",
    "llama.block_count": 2,
    "llama.rope.freq_base": 100000,
    "tokenizer.ggml.add_bos_token": true,
    "tokenizer.ggml.unknown_token_id": 0,
  })
  expect(metadata["tokenizer.ggml.tokens"]).toHaveLength(384)
  expect((metadata["tokenizer.ggml.tokens"] as string[]).slice(0, 4)).toEqual(["<unk>", "<s>", "</s>", "<0x00>"])
  expect(tensors.find(({ name }) => name === "blk.0.ffn_down.weight")).toMatchObject({ dtype: "F16", encoding: "f16", shape: [96, 80] })
  expect(tensors.find(({ name }) => name === "blk.1.attn_k.weight")).toMatchObject({ dtype: "Q4_1", encoding: "q4_1", shape: [32, 96] })
  expect(tensors).toHaveLength(20)
})

test("every kind of value, in version 2 and 3", async () => {
  const pairs = [
    packed("u8", ["u32", 0], ["u8", 200]),
    packed("i8", ["u32", 1], ["u8", 200]),
    packed("u16", ["u32", 2], ["u8", 255], ["u8", 255]),
    packed("i16", ["u32", 3], ["u8", 255], ["u8", 255]),
    packed("u32", ["u32", 4], ["u32", 4_000_000_000]),
    packed("i32", ["u32", 5], ["u32", 4_294_967_295]),
    packed("f32", ["u32", 6], ["f32", 0.5]),
    packed("bool", ["u32", 7], ["u8", 1]),
    packed("text", ["u32", 8], "Gruß"),
    packed("u64", ["u32", 10], ["u64", 2n ** 64n - 1n]),
    packed("i64", ["u32", 11], ["u64", 2n ** 64n - 2n]),
    packed("f64", ["u32", 12], Buffer.from([0, 0, 0, 0, 0, 0, 0xe0, 0x3f])),
    packed("list", ["u32", 9], ["u32", 9], ["u64", 2], ["u32", 8], ["u64", 2], "a", "b", ["u32", 4], ["u64", 1], ["u32", 7]),
    packed("__proto__", ["u32", 7], ["u8", 0]),
  ]
  for (const version of [2, 3]) {
    const { metadata, tensors } = await readGguf(file(packed(ggufStart(0, pairs.length, version), ...pairs)))
    expect(Object.entries(metadata)).toEqual([
      ["u8", 200],
      ["i8", -56],
      ["u16", 65535],
      ["i16", -1],
      ["u32", 4_000_000_000],
      ["i32", -1],
      ["f32", 0.5],
      ["bool", true],
      ["text", "Gruß"],
      ["u64", 2n ** 64n - 1n],
      ["i64", -2],
      ["f64", 0.5],
      ["list", [["a", "b"], [7]]],
      ["__proto__", false],
    ])
    expect(tensors).toEqual([])
  }
})

test("a header longer than one window is read in several", async () => {
  const words = Array.from({ length: 70_000 }, (_, i) => `word ${i} ${"x".repeat(i % 50)}`)
  const list = packed("words", ["u32", 9], ["u32", 8], ["u64", words.length], ...words)
  const numbers = packed("numbers", ["u32", 9], ["u32", 4], ["u64", 300_000], Buffer.alloc(1_200_000, 1))
  const { metadata } = await readGguf(file(ggufBytes([list, numbers])))
  expect(metadata.words).toEqual(words)
  expect((metadata.numbers as number[]).every((number) => number === 0x01010101)).toBe(true)
})

test("alignment moves the data", async () => {
  const bytes = ggufBytes([ggufNumber("general.alignment", 64)], [ggufTensor("a", [2], 0, 64)])
  const { tensors } = await readGguf(file(Buffer.concat([bytes, Buffer.alloc(256)])))
  expect(tensors[0]?.data).toEqual({ file: 0, offset: 64 * Math.ceil(bytes.length / 64) + 64, bytes: 8 })
})

const pair = ggufText("a", "b")
const huge = 2n ** 60n
const refused: [name: string, bytes: Buffer, message: RegExp][] = [
  ["another magic", packed(Buffer.from("GGUG"), Buffer.alloc(20)), /does not begin with "GGUF"/],
  ["empty", Buffer.alloc(0), /needs 24 bytes from byte 0 on, but the file has only 0/],
  ["2^60 tensors", ggufStart(huge, 0), /the number of tensors is 1152921504606846976; at most 0/],
  ["2^64-1 entries", ggufStart(0, 2n ** 64n - 1n), /the number of metadata entries is 18446744073709551615/],
  [
    "a key of 2^60 bytes",
    packed(ggufStart(0, 1), ["u64", huge], Buffer.alloc(64)),
    /the key of metadata entry 0 has 1152921504606846976 bytes/,
  ],
  ["a text of 2^60 bytes", packed(ggufStart(0, 1), "a", ["u32", 8], ["u64", huge]), /a holds a text of 1152921504606846976 bytes/],
  ["a list of 2^60", packed(ggufStart(0, 1), "a", ["u32", 9], ["u32", 4], ["u64", huge]), /the length of a is 1152921504606846976/],
  ["a list of 2^60 texts", packed(ggufStart(0, 1), "a", ["u32", 9], ["u32", 8], ["u64", huge]), /the length of a/],
  [
    "a text of 2^60 bytes in a list",
    packed(ggufStart(0, 1), "a", ["u32", 9], ["u32", 8], ["u64", 1], ["u64", huge]),
    /a text of 1152921504606846976/,
  ],
  [
    "a list of unknown things",
    packed(ggufStart(0, 1), "a", ["u32", 9], ["u32", 13], ["u64", 1], Buffer.alloc(64)),
    /unknown value type 13/,
  ],
  ["an unknown type", packed(ggufStart(0, 1), "a", ["u32", 77], Buffer.alloc(64)), /a has the unknown value type 77/],
  ["a truth value of 2", packed(ggufStart(0, 1), "a", ["u32", 7], ["u8", 2], Buffer.alloc(8)), /neither 0 nor 1/],
  ["a key twice", ggufBytes([pair, pair]), /the metadata key a twice/],
  ["alignment 0", ggufBytes([ggufNumber("general.alignment", 0)]), /general\.alignment is 0/],
  ["alignment 33", ggufBytes([ggufNumber("general.alignment", 33)]), /general\.alignment is 33/],
  ["alignment 2^31", ggufBytes([ggufNumber("general.alignment", 2 ** 31)]), /general\.alignment is 2147483648/],
  ["alignment as text", ggufBytes([ggufText("general.alignment", "32")]), /general\.alignment is 32/],
  ["five dimensions", ggufBytes([], [ggufTensor("a", [1, 1, 1, 1, 1], 0, 0)], 32), /tensor a has 5 dimensions/],
  ["2^32-1 dimensions", packed(ggufStart(1, 0), "a", ["u32", 2 ** 32 - 1], Buffer.alloc(64)), /has 4294967295 dimensions/],
  ["a dimension of 2^63", ggufBytes([], [ggufTensor("a", [2n ** 63n], 0, 0)], 32), /impossible dimension 9223372036854775808/],
  ["a shape of 2^80", ggufBytes([], [ggufTensor("a", [2n ** 40n, 2n ** 40n], 0, 0)], 32), /impossible shape/],
  ["a shape whose bytes overflow", ggufBytes([], [ggufTensor("a", [2n ** 52n], 0, 0)], 32), /impossible shape/],
  ["offset past the end", ggufBytes([], [ggufTensor("a", [8], 0, 4096)], 32), /tensor a lies at offset 4096, but the file has only/],
  ["offset of 2^63", ggufBytes([], [ggufTensor("a", [8], 0, 2n ** 63n)], 32), /tensor a lies at offset 9223372036854775808/],
  ["data past the end", ggufBytes([], [ggufTensor("a", [9], 0, 0)], 32), /tensor a lies at bytes \d+ to \d+, but the file has only/],
  ["an unaligned offset", ggufBytes([], [ggufTensor("a", [8], 0, 4)], 64), /offset 4, which is no multiple of 32/],
  ["overlap", ggufBytes([], [ggufTensor("a", [16], 0, 0), ggufTensor("b", [16], 0, 32)], 96), /tensor b begins .* inside tensor a/],
  ["two of a name", ggufBytes([], [ggufTensor("a", [8], 0, 0), ggufTensor("a", [8], 0, 32)], 64), /two tensors named a/],
  [
    "a row of half a block",
    ggufBytes([], [ggufTensor("a", [48, 2], 2, 0)], 96),
    /a of shape \[2, 48\] cannot be Q4_0: its rows are no multiple of 32/,
  ],
]
for (const [name, bytes, message] of refused) {
  test(`refused: ${name}`, async () => {
    const error = await refusal(() => readGguf(file(bytes)))
    expect(error).toMatchObject({ code: "bad_file", message: expect.stringMatching(message) })
    expect(error.message).toContain(folder)
  })
}

test("lists nested without end are not followed", async () => {
  const level = packed(["u32", 9], ["u64", 1])
  const bomb = packed(ggufStart(0, 1), "a", ["u32", 9], ...Array<Buffer>(100_000).fill(level))
  expect((await refusal(() => readGguf(file(bomb)))).message).toMatch(/a holds lists nested deeper than 4/)
})

test("lists have a budget together", async () => {
  const list = (key: string) => packed(key, ["u32", 9], ["u32", 0], ["u64", 5_000_000], Buffer.alloc(5_000_000))
  expect((await refusal(() => readGguf(file(ggufBytes([list("a"), list("b")]))))).message).toMatch(
    /the length of b is 5000000; at most 3388608/,
  )
})

test("old, new and big-endian versions are refused by their number", async () => {
  for (const [version, message] of [
    [1, /version 1; versions 2 and 3/],
    [4, /version 4/],
    [0x03000000, /big-endian/],
  ] as const) {
    const error = await refusal(() => readGguf(file(ggufStart(0, 0, version))))
    expect(error).toMatchObject({ code: "unsupported", message: expect.stringMatching(message) })
  }
})

test("a file cut anywhere in its header or data is refused", async () => {
  const whole = readFileSync(join(models, "gguf/qwen2-q4_0.gguf"))
  for (let length = 0; length < whole.length; length += 1 + Math.floor(length / 20)) {
    expect((await refusal(() => readGguf(file(whole.subarray(0, length))))).code).toBe("bad_file")
  }
  expect((await refusal(() => readGguf(file(whole.subarray(0, whole.length - 64))))).code).toBe("bad_file")
})
