import { createHash } from "node:crypto"
import { mkdirSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { beginManifest, changeFiles } from "../../../main/hub/download-manifest.ts"
import { type Disks, missingBytes, requireVolumes, spacePerVolume } from "../../../main/hub/download-space.ts"
import { scratchFolder } from "../scratch.ts"

const GiB = 2 ** 30

/** Two disks: what lies in "/…/b" is on the second one. */
function twoDisks(free: [number, number]) {
  const root = scratchFolder()
  mkdirSync(join(root, "a"))
  mkdirSync(join(root, "b"))
  const number = (folder: string) => (folder.startsWith(join(root, "b")) ? 1 : 0)
  const disks: Disks = { volume: async (folder) => number(folder), free: async (folder) => free[number(folder)] ?? 0 }
  return { a: join(root, "a", "downloads", "org"), b: join(root, "b", "models"), disks }
}

it("adds up what is needed for each disk, also in folders that are not there yet", async () => {
  const { a, b, disks } = twoDisks([10 * GiB, 5 * GiB])
  const needs = [
    { folder: a, bytes: 6 * GiB, purpose: "download" },
    { folder: b, bytes: 2 * GiB, purpose: "quantized model" },
    { folder: a, bytes: 3 * GiB, purpose: "temporary files" },
  ]
  expect(await spacePerVolume(needs, disks)).toEqual([
    { folder: a, needs: [needs[0], needs[2]], neededBytes: 9 * GiB, freeBytes: 10 * GiB },
    { folder: b, needs: [needs[1]], neededBytes: 2 * GiB, freeBytes: 5 * GiB },
  ])
  await expect(requireVolumes("Downloading org/tiny", needs, disks)).resolves.toBeUndefined()
})

it("says which disk is too small, with the numbers of each", async () => {
  const { a, b, disks } = twoDisks([8 * GiB, 1 * GiB])
  const needs = [
    { folder: a, bytes: 6 * GiB, purpose: "download" },
    { folder: a, bytes: 3 * GiB, purpose: "temporary files" },
    { folder: b, bytes: 2 * GiB, purpose: "quantized model" },
  ]
  await expect(requireVolumes("Downloading org/tiny", needs, disks)).rejects.toMatchObject({
    code: "no_space",
    message: `Downloading org/tiny needs 9.0 GiB (download 6.0 GiB + temporary files 3.0 GiB) on the disk of ${a}, where 8.0 GiB are free; and 2.0 GiB on the disk of ${b}, where 1.0 GiB are free.`,
    hint: "Free some space on these disks, or move the data folder to another one (NIBBLE_HOME).",
  })
  await expect(requireVolumes("It", needs.slice(2), disks)).rejects.toMatchObject({ hint: expect.stringContaining("Free 1.0 GiB there") })
})

it("asks the real disk", async () => {
  const [volume] = await spacePerVolume([{ folder: join(scratchFolder(), "new", "folder"), bytes: 1, purpose: "download" }])
  expect(volume?.freeBytes).toBeGreaterThan(0)
  await expect(requireVolumes("It", [{ folder: scratchFolder(), bytes: 2 ** 60, purpose: "download" }])).rejects.toMatchObject({
    code: "no_space",
  })
})

it("counts what is there already", async () => {
  const folder = scratchFolder()
  const content = Buffer.alloc(1000, "x")
  const digest = { algorithm: "sha256" as const, hex: createHash("sha256").update(content).digest("hex") }
  const files = ["whole", "used", "begun", "touched", "missing", "cached"].map((name) => {
    return { name, bytes: 1000, digest, address: "https://hub.example/x", ...(name === "cached" ? { cachedPath: "/cache/x" } : {}) }
  })
  expect(await missingBytes(join(folder, "none"), files)).toBe(5000)
  await beginManifest(folder, { repository: "r", revision: "1", files: files.map((file) => ({ ...file, state: "missing" })) })
  for (const name of ["whole", "touched"]) writeFileSync(join(folder, name), content)
  const modified_ms = statSync(join(folder, "whole")).mtimeMs
  await changeFiles(folder, (file) => {
    if (file.name === "used") return { ...file, state: "used" }
    if (file.name === "whole") return { ...file, state: "verified", modified_ms }
    return file.name === "touched" ? { ...file, state: "verified", modified_ms: 1 } : file
  })
  writeFileSync(join(folder, "begun.part"), content.subarray(0, 700))
  const done = [
    { from: 0, to: 300 },
    // More than the file has: the disk lost it.
    { from: 600, to: 900 },
  ]
  writeFileSync(join(folder, "begun.part.json"), JSON.stringify({ bytes: 1000, hex: digest.hex, etag: null, done }))
  // begun: 1000 - 300 - 100; touched: it may have to be fetched again; missing.
  expect(await missingBytes(folder, files)).toBe(600 + 1000 + 1000)
})
