// The only file that loads engine.node.
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import { AppError } from "../../shared/schema/error.ts"
import type { EngineAddon } from "./addon-types.ts"

/** In a bundle this file is part of dist/main/<name>.mjs; from source it is main/engine/addon.ts. */
const standardPlace = import.meta.url.endsWith(".ts") ? "../../dist/engine.node" : "../engine.node"

export function enginePath(): string {
  return process.env.NIBBLE_ENGINE || fileURLToPath(new URL(standardPlace, import.meta.url))
}

let loaded: EngineAddon | undefined

/** Undefined where nobody has needed it yet. */
export function loadedAddon(): EngineAddon | undefined {
  return loaded
}

export function loadAddon(): EngineAddon {
  if (loaded) return loaded
  const path = enginePath()
  try {
    loaded = createRequire(import.meta.url)(path) as EngineAddon
    return loaded
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)
    throw new AppError(
      "internal",
      `The engine ${path} cannot be loaded: ${reason}`,
      process.env.NIBBLE_ENGINE
        ? "NIBBLE_ENGINE must be the path of an engine.node that was built for this system and this version of Nibble."
        : "Build it with `npm run build` in the checkout, or install Nibble again.",
    )
  }
}
