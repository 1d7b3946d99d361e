// Where everything that Nibble keeps lies: one data folder per user, or the one that NIBBLE_HOME names.
import { constants } from "node:fs"
import { access, mkdir } from "node:fs/promises"
import { homedir } from "node:os"
import { isAbsolute, join, relative, resolve, sep } from "node:path"
import { AppError, toErrorData } from "../../shared/schema/error.ts"

export interface DataPaths {
  home: string
  /** One folder per owned model. */
  models: string
  /** Downloads under way; empty when none is. */
  downloads: string
  database: string
}

export interface Surroundings {
  env: Record<string, string | undefined>
  platform: NodeJS.Platform
  homeFolder: string
}

/** The data folder of this user. */
export function dataFolder({ env, platform, homeFolder }: Surroundings = here()): string {
  if (env.NIBBLE_HOME) return resolve(env.NIBBLE_HOME)
  if (platform === "darwin") return join(homeFolder, "Library", "Application Support", "Nibble")
  if (platform === "win32") return join(env.APPDATA || join(homeFolder, "AppData", "Roaming"), "Nibble")
  // The XDG specification says that a relative path is to be ignored.
  const base = env.XDG_DATA_HOME
  return join(base && isAbsolute(base) ? base : join(homeFolder, ".local", "share"), "nibble")
}

function here(): Surroundings {
  return { env: process.env, platform: process.platform, homeFolder: homedir() }
}

/** Where the Python libraries of the hub keep what they download: one folder per repository, "models--org--name". */
export function huggingFaceCache({ env, homeFolder }: Pick<Surroundings, "env" | "homeFolder">): string {
  if (env.HF_HUB_CACHE) return resolve(env.HF_HUB_CACHE)
  const cache = env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME) ? env.XDG_CACHE_HOME : join(homeFolder, ".cache")
  return join(env.HF_HOME ? resolve(env.HF_HOME) : join(cache, "huggingface"), "hub")
}

export function dataPaths(home: string): DataPaths {
  return { home, models: join(home, "models"), downloads: join(home, "downloads"), database: join(home, "nibble.db") }
}

/** Makes the folders that are missing, and checks that they can be written to. */
export async function prepareDataFolder(home: string): Promise<DataPaths> {
  const paths = dataPaths(resolve(home))
  try {
    await mkdir(paths.models, { recursive: true })
    await mkdir(paths.downloads, { recursive: true })
    for (const folder of [paths.home, paths.models, paths.downloads]) await access(folder, constants.W_OK)
  } catch (thrown) {
    const { code, message } = toErrorData(thrown)
    const hint = "Set NIBBLE_HOME to a folder that you can write to, or change the permissions of this one."
    if (code === "no_space") throw new AppError("no_space", `The disk of the data folder ${paths.home} is full.`, "Free some space there.")
    if (code === "no_permission") throw new AppError("no_permission", `The data folder ${paths.home} cannot be written to.`, hint)
    throw new AppError(code === "internal" ? "bad_input" : code, `The data folder ${paths.home} cannot be used: ${message}`, hint)
  }
  return paths
}

/** Whether `path` lies below `folder` (and is not the folder itself). Compares the paths as they are written: resolve links before. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(resolve(folder), resolve(path))
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}
