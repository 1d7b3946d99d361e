// What is left of a transfer after the process was killed, or the disk lost what was not synced: the next one ends with the right bytes
// and fetches nothing again that the state names.
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it, onTestFinished } from "vitest"
import { openPart } from "../../../main/hub/part.ts"
import type { Span } from "../../../main/hub/ranges.ts"
import { transfer } from "../../../main/hub/transfer.ts"
import { pinnedNode } from "../../../scripts/places.mjs"
import { startHub, type TestHub } from "../../hub/hub.ts"
import { scratchFolder } from "../scratch.ts"

const content = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => (i * 131 + (i >> 8)) & 0xff))
const hex = createHash("sha256").update(content).digest("hex")
const file = "model.safetensors"

async function hubWithFile(): Promise<TestHub> {
  const hub = await startHub({ repositories: [{ name: "org/tiny", files: { [file]: content } }] })
  onTestFinished(() => hub.close())
  return hub
}

function wishFor(hub: TestHub, range_bytes: number) {
  return {
    address: `${hub.endpoint}/org/tiny/resolve/main/${file}`,
    path: join(scratchFolder(), file),
    bytes: content.length,
    digest: { algorithm: "sha256" as const, hex },
    pace: { range_bytes, save_ms: 0, backOff_ms: 1, stall_ms: 5000, headers_ms: 5000 },
  }
}

const goOn = (wish: ReturnType<typeof wishFor>) => transfer({ ...wish, signal: new AbortController().signal, onProgress: () => {} })

/** Kills the process when `isDue` says so; it is asked with the bytes that are here whenever more have come, and now and then. */
async function killWhen(wish: ReturnType<typeof wishFor>, isDue: (here: number) => boolean): Promise<void> {
  const script = fileURLToPath(new URL("crashing-transfer.ts", import.meta.url))
  const child = spawn(pinnedNode, [script, JSON.stringify(wish)], { stdio: ["ignore", "pipe", "inherit"] })
  let here = 0
  const look = () => isDue(here) && child.kill("SIGKILL")
  const timer = setInterval(look, 5)
  child.stdout.setEncoding("utf8").on("data", (lines: string) => {
    here = Math.max(here, ...lines.split("\n").map((line) => Number(line) || 0))
    look()
  })
  const end = await new Promise((resolve) => child.once("close", (...both) => resolve(both)))
  clearInterval(timer)
  expect(end).toEqual([null, "SIGKILL"])
}

/** What the state on the disk names. */
function named(path: string): Span[] {
  return existsSync(`${path}.part.json`) ? JSON.parse(readFileSync(`${path}.part.json`, "utf8")).done : []
}

/** Spans that were asked for by ranges. */
function asked(hub: TestHub): Span[] {
  return hub.requests
    .filter(({ server }) => server === "storage")
    .map(({ range }) => {
      const [, from = "0", to] = range?.match(/^bytes=(\d+)-(\d*)$/) ?? []
      return { from: Number(from), to: to ? Number(to) + 1 : content.length }
    })
}

const sum = (spans: Span[]) => spans.reduce((all, { from, to }) => all + to - from, 0)

/** Ends what the killed process began, and looks at what was fetched again. */
async function goOnAfter(hub: TestHub, wish: ReturnType<typeof wishFor>): Promise<void> {
  expect(existsSync(wish.path)).toBe(false)
  const kept = named(wish.path)
  hub.requests.length = 0
  hub.bytesPerSecond = 0
  hub.faults.clear()
  await goOn(wish)
  expect(readFileSync(wish.path).equals(content)).toBe(true)
  expect(readdirSync(join(wish.path, ".."))).toEqual([file])
  expect(sum(asked(hub))).toBe(content.length - sum(kept))
  for (const span of asked(hub)) for (const done of kept) expect(span.from >= done.to || span.to <= done.from).toBe(true)
}

describe("after kill -9", () => {
  // Each connection falls silent there. With several there are gaps between what is here.
  it.each([
    ["one connection", 4 << 20, 1, 1],
    ["one connection", 4 << 20, 65_537, 65_537],
    ["one connection", 4 << 20, 999_999, 999_999],
    ["several connections", 128 << 10, 10_001, 40_004],
  ])("of %s in ranges of %i, at byte %i", async (_, range_bytes, at, all) => {
    const hub = await hubWithFile()
    hub.faults.add({ match: file, kind: "stall", at })
    const wish = wishFor(hub, range_bytes)
    await killWhen(wish, () => sum(named(wish.path)) >= all)
    expect(sum(named(wish.path))).toBe(all)
    await goOnAfter(hub, wish)
  })

  it.each([4 << 20, 128 << 10])("while it flows, in ranges of %i", async (range_bytes) => {
    const hub = await hubWithFile()
    hub.bytesPerSecond = 1_500_000
    const wish = wishFor(hub, range_bytes)
    await killWhen(wish, (here) => here >= 250_000)
    await goOnAfter(hub, wish)
  })
})

describe("after the loss of power", () => {
  it("only those bytes count that the state names", async () => {
    const hub = await hubWithFile()
    for (let round = 0; round < 12; round++) {
      const wish = wishFor(hub, 128 << 10)
      const done: Span[] = []
      for (let at = (round * 37_123) % 90_000; at < content.length; at += 100_000 + round * 9000) done.push({ from: at, to: at + 40_000 })
      const last = done.at(-1) as Span
      last.to = Math.min(last.to, content.length)
      // What the disk did not keep is anything.
      const torn = Buffer.alloc(content.length, "torn")
      for (const { from, to } of done) content.copy(torn, from, from, to)
      writeFileSync(`${wish.path}.part`, torn)
      writeFileSync(`${wish.path}.part.json`, JSON.stringify({ bytes: content.length, hex, etag: `"${hex}"`, done }))
      hub.requests.length = 0
      await goOn(wish)
      expect(readFileSync(wish.path).equals(content)).toBe(true)
      expect(sum(asked(hub))).toBe(content.length - sum(done))
    }
  })

  it("a state that is cut off, foreign or nonsense counts for nothing", async () => {
    const hub = await hubWithFile()
    const state = JSON.stringify({ bytes: content.length, hex, etag: null, done: [{ from: 0, to: content.length }] })
    const states = [
      ...[0, 1, 20, state.length - 1].map((length) => state.slice(0, length)),
      state.replace(hex, "0".repeat(64)),
      state.replace('"from":0', '"from":-5'),
      state.replace("1000000,", "999999,"),
      "null",
    ]
    for (const text of states) {
      const wish = wishFor(hub, 4 << 20)
      writeFileSync(`${wish.path}.part`, Buffer.alloc(content.length))
      writeFileSync(`${wish.path}.part.json`, text)
      await goOn(wish)
      expect(readFileSync(wish.path).equals(content), text).toBe(true)
    }
  })

  it("the bytes were safe before the state named them", async () => {
    const path = join(scratchFolder(), file)
    mkdirSync(join(path, ".."), { recursive: true })
    const part = await openPart({ path, bytes: 100, digest: { algorithm: "sha256", hex } }, 1e9)
    const log: string[] = []
    const restore = await onDatasync(() => log.push(`sync, state names ${sum(named(path))}`))
    for (const at of [0, 20, 60]) {
      await part.write(Buffer.alloc(10), at)
      await part.save()
      log.push(`saved ${sum(named(path))}`)
    }
    restore()
    expect(log).toEqual([
      ...["sync, state names 0", "saved 10"],
      ...["sync, state names 10", "saved 20"],
      ...["sync, state names 20", "saved 30"],
    ])
    await part.close()
  })
})

/** Calls `work` whenever a file's data is synced. */
async function onDatasync(work: () => void): Promise<() => void> {
  const probe = await open(join(scratchFolder(), "probe"), "w")
  const kind = Object.getPrototypeOf(probe) as FileHandle
  await probe.close()
  const real = kind.datasync
  kind.datasync = function (this: FileHandle) {
    work()
    return real.call(this)
  }
  return () => {
    kind.datasync = real
  }
}
