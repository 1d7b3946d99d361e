import { createHash, randomBytes } from "node:crypto"
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { fetchAgain, isComplete, manifestName, readManifest, useUp } from "../../../main/hub/download-manifest.ts"
import { type DownloadSetRequest, downloadSet, type SetFile } from "../../../main/hub/download-set.ts"
import { createNetwork } from "../../../main/hub/network.ts"
import type { AdditionFile } from "../../../shared/schema/addition.ts"
import { scratchFolder } from "../scratch.ts"
import { loopback, serveRange } from "./loopback.ts"

const contents: Record<string, Buffer> = {
  "config.json": Buffer.from('{"model_type":"tiny"}'),
  "model-1.safetensors": randomBytes(300_000),
  "model-2.safetensors": randomBytes(200_000),
}
const names = Object.keys(contents)
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")
const nameIn = (path = "") => path.slice(path.lastIndexOf("/") + 1)

type Answer = Parameters<typeof loopback>[0]
const serve: Answer = (request, response) => serveRange(request, response, contents[nameIn(request.url)] ?? Buffer.from(""))

function setOf(origin: string, change: Partial<DownloadSetRequest> = {}) {
  const told: AdditionFile[] = []
  const files = Object.entries(contents).map(([name, content]): SetFile => {
    return { name, bytes: content.length, digest: { algorithm: "sha256", hex: sha256(content) }, address: `${origin}/${name}` }
  })
  const request: DownloadSetRequest = {
    folder: scratchFolder(),
    repository: "org/tiny",
    revision: "c".repeat(40),
    files,
    network: createNetwork({ env: {} }),
    signal: new AbortController().signal,
    pace: { backOff_ms: 1, headers_ms: 2000, stall_ms: 2000, attempts: 3, save_ms: 0, range_bytes: 50_000 },
    onFile: (file) => told.push(file),
    ...change,
  }
  const statesOf = (name: string) => {
    const states = told.filter((file) => file.name === name).map(({ state }) => state)
    return states.filter((state, index) => state !== states[index - 1])
  }
  /** Hashing follows the bytes: whether it has any left to do at their end is a matter of luck. */
  const statesOfFetched = (name: string) => statesOf(name).filter((state) => state !== "verifying")
  const last = (name: string) => told.findLast((file) => file.name === name)
  return { request, told, statesOf, statesOfFetched, last }
}

describe("a set", () => {
  it("arrives whole, verified, with a manifest that says so", async () => {
    const server = await loopback(serve)
    const progress: number[] = []
    const verified: string[] = []
    const { request, statesOfFetched, last } = setOf(server.origin, {
      onProgress: ({ bytesDone }) => progress.push(bytesDone),
      onVerified: ({ name, path }) => {
        expect(readFileSync(path)).toEqual(contents[name])
        verified.push(name)
      },
    })
    const { folder } = request
    expect(await isComplete(folder)).toBe(false)
    const here = await downloadSet(request)
    expect(here.map(({ name, isCached }) => [name, isCached])).toEqual(names.map((name) => [name, false]))
    expect(readdirSync(folder).sort()).toEqual([manifestName, ...names])
    expect(verified.sort()).toEqual(names)
    expect(await isComplete(folder)).toBe(true)
    expect(await readManifest(folder)).toMatchObject({ repository: "org/tiny", revision: "c".repeat(40) })
    expect(progress.at(-1)).toBe(500_021)
    expect(progress).toEqual(progress.toSorted((a, b) => a - b))
    expect(statesOfFetched("model-1.safetensors")).toEqual(["waiting", "running", "verified"])
    expect(last("model-1.safetensors")).toEqual({
      ...{ name: "model-1.safetensors", bytes: 300_000, done: 300_000, state: "verified" },
      ...{ error: null, retryAt: null, attempts: 1 },
    })
  })

  it("begins its files in order, not more than so many at once, each after it was admitted", async () => {
    const server = await loopback(serve)
    const log: string[] = []
    const { request } = setOf(server.origin, {
      filesAtOnce: 1,
      admit: async ({ name }) => void log.push(`admit ${name}`),
      onVerified: ({ name }) => log.push(`verified ${name}`),
    })
    await downloadSet(request)
    expect(log).toEqual(names.flatMap((name) => [`admit ${name}`, `verified ${name}`]))
  })

  it("holds no more connections than the network has, and gives them to the first file first", async () => {
    let open = 0
    let most = 0
    const order: string[] = []
    const server = await loopback((request, response, count) => {
      most = Math.max(most, ++open)
      response.once("close", () => open--)
      order.push(nameIn(request.url))
      setTimeout(() => serve(request, response, count), 5)
    })
    const { request } = setOf(server.origin, { network: createNetwork({ env: {}, connections: 3 }) })
    request.files = request.files.filter(({ name }) => name !== "config.json")
    await downloadSet(request)
    expect(most).toBe(3)
    expect(order.lastIndexOf("model-1.safetensors")).toBeLessThan(order.lastIndexOf("model-2.safetensors"))
    expect(order.filter((name) => name === "model-1.safetensors")).toHaveLength(6)
  })

  it("is paused and goes on without fetching again what is there", async () => {
    const stop = new AbortController()
    let sent = 0
    const server = await loopback((request, response, count) => {
      if (!stop.signal.aborted && request.url === "/model-1.safetensors" && (request.headers.range ?? "") >= "bytes=1") {
        // Half of a range, and then nothing.
        response.writeHead(206, { etag: '"one"', "content-range": request.headers.range?.replace("=", " ").concat("/300000") ?? "" })
        const from = Number(request.headers.range?.match(/\d+/)?.[0])
        response.write(contents["model-1.safetensors"]?.subarray(from, from + 20_000))
        if (++sent === 4) setTimeout(() => stop.abort(), 30)
        return
      }
      serve(request, response, count)
    })
    const { request, last } = setOf(server.origin, { signal: stop.signal })
    await expect(downloadSet(request)).rejects.toMatchObject({ code: "cancelled" })
    expect(last("model-1.safetensors")).toMatchObject({ state: "waiting", error: null })
    expect(await isComplete(request.folder)).toBe(false)
    const asked = server.requests.length
    const resumed = setOf(server.origin, { folder: request.folder })
    await downloadSet(resumed.request)
    expect(readFileSync(join(request.folder, "model-1.safetensors"))).toEqual(contents["model-1.safetensors"])
    const again = server.requests.slice(asked).filter(({ path }) => path === "/model-1.safetensors")
    expect(again.length).toBeGreaterThan(0)
    for (const { range } of again) expect(range).not.toMatch(/^bytes=0-/)
    expect(resumed.told[1]?.done).toBeGreaterThanOrEqual(50_000)
  })

  it("trusts what its manifest knows, and checks again what was touched", async () => {
    const server = await loopback(serve)
    const { request } = setOf(server.origin)
    await downloadSet(request)
    const asked = server.requests.length
    const verified: string[] = []
    const again = setOf(server.origin, { folder: request.folder, onVerified: ({ name }) => verified.push(name) })
    await downloadSet(again.request)
    expect(server.requests).toHaveLength(asked)
    expect(verified).toEqual(names)
    expect(again.statesOf("model-1.safetensors")).toEqual(["verified"])

    // Touched and the same: hashed again. Changed: fetched again.
    utimesSync(join(request.folder, "model-1.safetensors"), 1, 1)
    writeFileSync(join(request.folder, "model-2.safetensors"), randomBytes(200_000))
    expect(await isComplete(request.folder)).toBe(false)
    const third = setOf(server.origin, { folder: request.folder })
    await downloadSet(third.request)
    expect(third.statesOf("model-1.safetensors")).toEqual(["waiting", "verifying", "verified"])
    expect(server.requests.slice(asked).every(({ path }) => path === "/model-2.safetensors")).toBe(true)
    expect(readFileSync(join(request.folder, "model-2.safetensors"))).toEqual(contents["model-2.safetensors"])
    expect(await isComplete(request.folder)).toBe(true)
  })

  it("does not fetch what was used up, until it is wanted again", async () => {
    const server = await loopback(serve)
    const { request } = setOf(server.origin)
    await downloadSet(request)
    const shard = join(request.folder, "model-1.safetensors")
    await useUp(request.folder, "model-1.safetensors")
    expect(existsSync(shard)).toBe(false)
    expect(await isComplete(request.folder)).toBe(false)
    // As if the program had ended before the file was deleted.
    writeFileSync(shard, "left")
    const asked = server.requests.length
    const again = setOf(server.origin, { folder: request.folder })
    const here = await downloadSet(again.request)
    expect(here.map(({ name }) => name)).toEqual(["config.json", "model-2.safetensors"])
    expect(again.last("model-1.safetensors")).toMatchObject({ state: "used", done: 300_000 })
    expect([existsSync(shard), server.requests.length]).toEqual([false, asked])
    await fetchAgain(request.folder)
    await downloadSet(again.request)
    expect(readFileSync(shard)).toEqual(contents["model-1.safetensors"])
  })

  it("leaves nothing of another revision", async () => {
    const server = await loopback(serve)
    const { request } = setOf(server.origin)
    await downloadSet(request)
    const asked = server.requests.length
    const newer = setOf(server.origin, { folder: request.folder, revision: "d".repeat(40) })
    newer.request.files = newer.request.files.filter(({ name }) => name !== "model-2.safetensors")
    await downloadSet(newer.request)
    // The same content needs no other transfer.
    expect(server.requests).toHaveLength(asked)
    expect(readdirSync(request.folder).sort()).toEqual([manifestName, "config.json", "model-1.safetensors"])
  })

  it("is refused while another one works in the folder", async () => {
    const server = await loopback(() => {})
    const stop = new AbortController()
    const { request } = setOf(server.origin, { signal: stop.signal })
    const first = downloadSet(request)
    await expect(downloadSet(request)).rejects.toMatchObject({ code: "busy" })
    stop.abort()
    await expect(first).rejects.toMatchObject({ code: "cancelled" })
  })

  it("takes no names that lead elsewhere or that a system does not have", async () => {
    const { request } = setOf("http://127.0.0.1:1")
    const [file] = request.files as [SetFile]
    const bad = [
      "../x",
      "a/b",
      "a\\b",
      "/etc/passwd",
      ".hidden",
      "C:x",
      "nul.json",
      "COM1",
      "a.",
      "a ",
      "",
      "x\0y",
      "x.part",
      "x.part.json",
    ]
    for (const name of bad)
      await expect(downloadSet({ ...request, files: [{ ...file, name }] }), name).rejects.toMatchObject({ code: "bad_file" })
    const twice = [file, { ...file, name: "CONFIG.json" }]
    await expect(downloadSet({ ...request, files: twice })).rejects.toMatchObject({ message: expect.stringContaining("the same file") })
    expect(readdirSync(request.folder)).toEqual([])
  })
})

describe("a cached file", () => {
  it("is checked and used where it lies", async () => {
    const server = await loopback(serve)
    const { request, statesOf } = setOf(server.origin)
    const cachedPath = join(scratchFolder(), "blob")
    writeFileSync(cachedPath, contents["model-1.safetensors"] ?? "")
    request.files = request.files.map((file) => (file.name === "model-1.safetensors" ? { ...file, cachedPath } : file))
    const here = await downloadSet(request)
    expect(here[1]).toMatchObject({ path: cachedPath, isCached: true })
    expect(statesOf("model-1.safetensors")).toEqual(["waiting", "verifying", "cached"])
    expect(existsSync(join(request.folder, "model-1.safetensors"))).toBe(false)
    expect(server.requests.some(({ path }) => path === "/model-1.safetensors")).toBe(false)
    expect(await isComplete(request.folder)).toBe(true)
    await useUp(request.folder, "model-1.safetensors")
    expect(statSync(cachedPath).size).toBe(300_000)
  })

  it("is fetched where the cache is wrong", async () => {
    const server = await loopback(serve)
    const { request, last } = setOf(server.origin)
    const cachedPath = join(scratchFolder(), "blob")
    writeFileSync(cachedPath, randomBytes(300_000))
    request.files = request.files.map((file) => (file.name === "model-1.safetensors" ? { ...file, cachedPath } : file))
    const here = await downloadSet(request)
    expect(here[1]).toMatchObject({ isCached: false })
    expect(last("model-1.safetensors")).toMatchObject({ state: "verified", done: 300_000 })
    expect(readFileSync(join(request.folder, "model-1.safetensors"))).toEqual(contents["model-1.safetensors"])
  })
})

describe("trouble with one file", () => {
  it("is told with its reason and the time of the next try, and passes", async () => {
    const failed = new Set<string>()
    const server = await loopback((request, response, count) => {
      const isFirst = request.url === "/model-2.safetensors" && !failed.has("model-2")
      if (!isFirst) return serve(request, response, count)
      failed.add("model-2")
      response.writeHead(503, { "retry-after": "0.05" }).end()
    })
    const { request, told, statesOfFetched, last } = setOf(server.origin)
    const before = Date.now()
    await downloadSet(request)
    expect(statesOfFetched("model-2.safetensors")).toEqual(["waiting", "running", "retrying", "running", "verified"])
    const retrying = told.find(({ state }) => state === "retrying")
    expect(retrying).toMatchObject({ attempts: 2, error: { code: "network", message: expect.stringContaining("HTTP 503") } })
    expect(retrying?.retryAt).toBeGreaterThanOrEqual(before + 50)
    expect(last("model-2.safetensors")).toMatchObject({ state: "verified", error: null, retryAt: null, attempts: 2 })
  })

  it("that stays pauses the others, and all but that file goes on later", async () => {
    let isBroken = true
    const server = await loopback((request, response, count) => {
      if (isBroken && request.url === "/model-2.safetensors") return void response.writeHead(403, { "x-error-code": "GatedRepo" }).end()
      serve(request, response, count)
    })
    const { request, last } = setOf(server.origin, { filesAtOnce: 3 })
    await expect(downloadSet(request)).rejects.toMatchObject({ code: "no_permission", message: expect.stringContaining("gated") })
    expect(last("model-2.safetensors")).toMatchObject({ state: "failed", error: { code: "no_permission" } })
    expect(await isComplete(request.folder)).toBe(false)
    isBroken = false
    await downloadSet(setOf(server.origin, { folder: request.folder }).request)
    expect(await isComplete(request.folder)).toBe(true)
  })

  it("whose bytes are wrong twice fails with what was found, and only that file was fetched again", async () => {
    const server = await loopback((request, response, count) => {
      if (request.url !== "/model-2.safetensors") return serve(request, response, count)
      serveRange(request, response, Buffer.alloc(200_000, "x"))
    })
    const { request, last } = setOf(server.origin, { pace: { range_bytes: 1 << 20 } })
    await expect(downloadSet(request)).rejects.toMatchObject({ code: "bad_file", message: expect.stringContaining("its sha256 is") })
    const fetched = (name: string) => server.requests.filter(({ path }) => path === `/${name}`)
    expect([fetched("model-1.safetensors").length, fetched("model-2.safetensors").length]).toEqual([1, 2])
    expect(last("model-2.safetensors")).toMatchObject({ state: "failed", error: { code: "bad_file" } })
    expect(existsSync(join(request.folder, "model-2.safetensors"))).toBe(false)
  })
})
