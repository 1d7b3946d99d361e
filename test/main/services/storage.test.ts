import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { createStorage } from "../../../main/services/storage.ts"
import { dataPaths } from "../../../main/storage/paths.ts"
import type { Job } from "../../../shared/schema/job.ts"
import { scratchFolder } from "../scratch.ts"

function storageOf({ kept = [] as string[], running = [] as Job["kind"][], cache = null as string | null } = {}) {
  const home = scratchFolder()
  const paths = dataPaths(home)
  for (const folder of [paths.models, paths.downloads]) mkdirSync(folder)
  const jobs = { list: () => running.map((kind) => ({ kind, state: "running" })) } as unknown as Parameters<typeof createStorage>[0]["jobs"]
  const { handlers } = createStorage({ paths, jobs, keptDownloads: () => new Set(kept), huggingFaceCache: () => cache })
  const context = { signal: new AbortController().signal, emit: async () => {} }
  return {
    paths,
    report: async () => handlers["storage.report"](undefined, context),
    clean: async () => handlers["storage.clean"](undefined, context),
  }
}

function write(bytes: number, ...path: string[]): void {
  mkdirSync(join(...path.slice(0, -1)), { recursive: true })
  writeFileSync(join(...path), Buffer.alloc(bytes))
}

it("counts every folder, without following links", async () => {
  const cache = scratchFolder()
  const { paths, report } = storageOf({ cache })
  write(1000, paths.models, "a", "model.safetensors")
  write(10, paths.models, "a", "config.json")
  write(5, paths.database)
  write(2, `${paths.database}-wal`)
  write(70, cache, "blobs", "x")
  symlinkSync(join(cache, "blobs", "x"), join(cache, "link"))
  const { folders, freeBytes, totalBytes } = await report()
  expect(folders.map(({ kind, bytes, files }) => [kind, bytes, files])).toEqual([
    ["models", 1010, 2],
    ["downloads", 0, 0],
    ["database", 7, 2],
    ["huggingface_cache", 70, 1],
  ])
  expect(freeBytes).toBeGreaterThan(0)
  expect(totalBytes).toBeGreaterThan(freeBytes)
})

it("cleans what is left of downloads, not what is gone on with", async () => {
  const { paths, report, clean } = storageOf({ kept: ["going-on"] })
  write(30, paths.downloads, "left", "deep", "part")
  write(4, paths.downloads, "left.whl")
  write(500, paths.downloads, "going-on", "part")
  expect((await report()).folders[1]).toMatchObject({ kind: "downloads", bytes: 534, cleanableBytes: 34 })
  expect(await clean()).toEqual({ freedBytes: 34 })
  expect(existsSync(join(paths.downloads, "left"))).toBe(false)
  expect(existsSync(join(paths.downloads, "going-on", "part"))).toBe(true)
})

it("cleans nothing under a download that does not say what it goes on with", async () => {
  const { paths, report, clean } = storageOf({ running: ["starter"] })
  write(30, paths.downloads, "starter", "part")
  expect((await report()).folders[1]).toMatchObject({ cleanableBytes: 0 })
  await expect(clean()).rejects.toMatchObject({ code: "busy" })
  expect(existsSync(join(paths.downloads, "starter", "part"))).toBe(true)
})
