import { createHash, randomBytes } from "node:crypto"
import type { FileHandle } from "node:fs/promises"
import { expect, it } from "vitest"
import { startDigest } from "../../../main/hub/digest.ts"
import { createPartDigest } from "../../../main/hub/part-digest.ts"

const never = new AbortController().signal
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

/** A file in memory whose reads come when `open()` says so. */
function slowFile(bytes: number) {
  const content = Buffer.alloc(bytes)
  const waiting: (() => void)[] = []
  let reads = 0
  const file = {
    async read(buffer: Buffer, offset: number, length: number, position: number) {
      reads++
      const bytesRead = content.copy(buffer, offset, position, Math.min(position + length, content.length))
      await new Promise<void>((resolve) => waiting.push(resolve))
      return { bytesRead, buffer }
    },
  } as unknown as FileHandle
  const open = () => {
    for (const resolve of waiting.splice(0)) resolve()
  }
  return { content, file, open, reads: () => reads }
}

const digestOf = (file: FileHandle, bytes: number) => createPartDigest(file, () => startDigest({ algorithm: "sha256", hex: "" }, bytes))

it("hashes pieces in order as they come, without reading them back", async () => {
  const { content, file, reads } = slowFile(1000)
  randomBytes(1000).copy(content)
  const digest = digestOf(file, 1000)
  for (let at = 0; at < 1000; at += 100) digest.follow({ from: at, chunk: content.subarray(at, at + 100) }, at + 100)
  expect(await digest.finish(1000, never, () => expect.fail("nothing is left"))).toBe(sha256(content))
  expect(reads()).toBe(0)
})

it("reads back what came ahead, once the gap before it is closed", async () => {
  const { content, file, open } = slowFile(1000)
  randomBytes(1000).copy(content)
  const digest = digestOf(file, 1000)
  digest.follow({ from: 500, chunk: content.subarray(500) }, 0)
  digest.follow({ from: 0, chunk: content.subarray(0, 100) }, 100)
  digest.follow({ from: 100, chunk: content.subarray(100, 500) }, 1000)
  const timer = setInterval(open, 1)
  await digest.rest()
  expect(await digest.finish(1000, never, () => {})).toBe(sha256(content))
  clearInterval(timer)
})

it("forgets what it reads while the file begins anew", async () => {
  const { content, file, open } = slowFile(1000)
  content.fill("old")
  const digest = digestOf(file, 1000)
  digest.follow(null, 1000)
  digest.reset()
  randomBytes(1000).copy(content)
  const timer = setInterval(open, 1)
  await digest.rest()
  digest.follow({ from: 0, chunk: content.subarray(0, 300) }, 300)
  expect(await digest.finish(1000, never, () => {})).toBe(sha256(content))
  clearInterval(timer)
})

it("can be left at the end, and notices a file that became shorter", async () => {
  const { content, file, open } = slowFile(3 << 20)
  const timer = setInterval(open, 1)
  const stop = new AbortController()
  const left = digestOf(file, content.length)
  await expect(left.finish(content.length, stop.signal, () => stop.abort())).rejects.toMatchObject({ code: "cancelled" })
  const short = digestOf(slowFile(0).file, 10)
  const empty = slowFile(0)
  const pump = setInterval(empty.open, 1)
  await expect(digestOf(empty.file, 10).finish(10, never, () => {})).rejects.toMatchObject({ code: "bad_file" })
  await short.rest()
  clearInterval(timer)
  clearInterval(pump)
})
