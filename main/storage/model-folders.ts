// The folders of owned models. What is being made lies in a hidden folder of its job and takes its place by being renamed, so there is
// never half a model under a model's name; what a dead process left is found by its hidden name.
import { randomUUID } from "node:crypto"
import { createReadStream } from "node:fs"
import { lstat, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises"
import { basename, dirname, join, relative, sep } from "node:path"
import { AppError, toErrorData } from "../../shared/schema/error.ts"
import { ggufPartPaths } from "../models/gguf-parts.ts"
import { syncFolder } from "./atomic-file.ts"
import { requireSpace } from "./free-space.ts"
import { isInside } from "./paths.ts"

const stagingPrefix = ".partial-"
/** Names that Windows keeps for devices. */
const reserved = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

/** `name` as the name of a folder on every system. */
export function folderNameFor(name: string): string {
  const plain = name
    .normalize("NFC")
    .replace(/[^\p{L}\p{N}._+-]+/gu, "-")
    .replace(/^[.-]+|[.-]+$/g, "")
    .slice(0, 100)
    .replace(/[.-]+$/, "")
  return plain === "" || reserved.test(plain) ? `model-${plain}`.replace(/-$/, "") : plain
}

/** A hidden folder for what the job makes. */
export async function makeStaging(models: string, jobId: string): Promise<string> {
  const folder = join(models, `${stagingPrefix}${jobId}`)
  await mkdir(folder, { recursive: true })
  return folder
}

export async function removeStaging(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
}

/** Removes what jobs have left that do not run any more. */
export async function removeLeftStaging(models: string, runningJobs: Set<string>): Promise<void> {
  for (const name of await readdir(models)) {
    if (name.startsWith(stagingPrefix) && !runningJobs.has(name.slice(stagingPrefix.length))) await removeStaging(join(models, name))
  }
}

/** Removes what has not been written to since `before` (ms), but for `kept`: downloads that nobody went on with. */
export async function removeOldEntries(folder: string, before: number, kept = new Set<string>()): Promise<void> {
  for (const name of await readdir(folder)) {
    if (kept.has(name)) continue
    const { mtimeMs } = await lstat(join(folder, name))
    if (mtimeMs < before) await rm(join(folder, name), { recursive: true, force: true })
  }
}

/** Renames a finished folder into the models' folder, under `wanted` or the next free name like it. `onChosen` is told the place before. */
export async function placeFolder(
  staged: string,
  models: string,
  wanted: string,
  onChosen: (target: string) => void = () => {},
): Promise<string> {
  const name = folderNameFor(wanted)
  for (let number = 1; number < 10_000; number++) {
    const target = join(models, number === 1 ? name : `${name}-${number}`)
    if (await exists(target)) continue
    onChosen(target)
    try {
      await rename(staged, target)
    } catch (thrown) {
      // Another process took the name in between.
      if (await exists(target)) continue
      throw thrown
    }
    await syncFolder(models)
    return target
  }
  throw new AppError("internal", `There is no free name like ${name} in ${models}.`)
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

/** Deletes the folder that holds an owned model, and returns its size. */
export async function deleteOwned(models: string, path: string): Promise<number> {
  if (!isInside(models, path))
    throw new AppError("no_permission", `${path} does not lie in ${models}; nothing was deleted.`, "Remove it from the list only.")
  const top = join(models, relative(models, path).split(sep)[0] ?? "")
  if (!isInside(models, top) || !(await exists(top))) return 0
  const bytes = await sizeOf(top)
  // Under a hidden name first: what is left if this is interrupted is no model any more, and is removed at the next start.
  const doomed = join(models, `${stagingPrefix}${randomUUID()}`)
  await rename(top, doomed)
  await removeStaging(doomed)
  return bytes
}

/** Bytes of the files below; links are not followed, and neither are they when a folder is deleted. */
async function sizeOf(path: string): Promise<number> {
  const found = await lstat(path)
  if (!found.isDirectory()) return found.isFile() ? found.size : 0
  const sizes = await Promise.all((await readdir(path)).map((name) => sizeOf(join(path, name))))
  return sizes.reduce((sum, size) => sum + size, 0)
}

const copied = /\.(safetensors|json|jinja|model|txt|md)$|^(LICENSE|NOTICE)/i

/** The files that belong to the model at `path`: a GGUF file with its parts, or what lies in a folder and is read from it. */
export async function filesOfModel(path: string): Promise<{ path: string; bytes: number }[]> {
  const found = await stat(path)
  if (!found.isDirectory()) {
    // A name may look like that of a part and be none: only what is there is copied.
    const there = new Set(await readdir(dirname(path)))
    const others = ggufPartPaths(path).filter((part) => part !== path && there.has(basename(part)))
    return Promise.all([path, ...others].map(async (part) => ({ path: part, bytes: (await stat(part)).size })))
  }
  const names = (await readdir(path)).filter((name) => copied.test(name))
  const files = await Promise.all(names.map(async (name) => ({ path: join(path, name), about: await stat(join(path, name)) })))
  return files.filter(({ about }) => about.isFile()).map((file) => ({ path: file.path, bytes: file.about.size }))
}

export interface CopyProgress {
  done: number
  total: number
  item: string
}

/** Copies `files` into `folder`; links are followed. */
export async function copyFiles(
  files: { path: string; bytes: number }[],
  folder: string,
  { signal, onProgress }: { signal: AbortSignal; onProgress(progress: CopyProgress): void },
): Promise<void> {
  const total = files.reduce((sum, file) => sum + file.bytes, 0)
  await mkdir(folder, { recursive: true })
  await requireSpace(folder, total, "Copying the model")
  let done = 0
  for (const { path } of files) {
    const item = basename(path)
    const out = await open(join(folder, item), "wx")
    try {
      for await (const chunk of createReadStream(path, { highWaterMark: 4 << 20 }) as AsyncIterable<Buffer>) {
        if (signal.aborted) throw new AppError("cancelled", "cancelled")
        await out.writeFile(chunk)
        done += chunk.length
        onProgress({ done, total, item })
      }
      await out.sync()
    } catch (thrown) {
      const { code } = toErrorData(thrown)
      if (code !== "no_space" || thrown instanceof AppError) throw thrown
      throw new AppError(
        "no_space",
        `The disk filled up when ${done} of ${total} bytes were copied to ${folder}.`,
        "Free some space there.",
      )
    } finally {
      await out.close()
    }
  }
}
