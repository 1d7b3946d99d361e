// Where things are in a checkout.
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export const top = fileURLToPath(new URL("..", import.meta.url))
export const cores = availableParallelism()

/** The Node that everything but the scripts themselves runs on: the version that Electron carries. */
export const pinnedNode = join(top, "node_modules/node/bin", process.platform === "win32" ? "node.exe" : "node")

/** The command line (and with it the server) of the built program. */
export const cliBundle = join(top, "dist/main/cli.mjs")

/** The entry of a package's command, to be run by the pinned Node. */
export const tools = {
  biome: join(top, "node_modules/@biomejs/biome/bin/biome"),
  cmakeJs: join(top, "node_modules/cmake-js/bin/cmake-js"),
  playwright: join(top, "node_modules/@playwright/test/cli.js"),
  tsc: join(top, "node_modules/typescript/bin/tsc"),
  vitest: join(top, "node_modules/vitest/vitest.mjs"),
}
