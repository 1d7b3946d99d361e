// Bundles with Vite: `program` (command line and server, engine host, Electron main and preload; dist/main) and `page` (dist/page).
// Runs on the pinned Node, called by setup.mjs. Node's own modules, electron and ws' optional speed-ups stay outside; everything
// else goes in, so that dist runs without node_modules.
import { builtinModules } from "node:module"
import { join } from "node:path"
import { build } from "vite"
import { top } from "./places.mjs"

const external = [/^node:/, ...builtinModules, "electron", "bufferutil", "utf-8-validate"]

/** Each entry becomes dist/main/<name>.mjs; shared chunks lie beside them, so addresses relative to import.meta.url hold everywhere. */
const entries = {
  cli: "main/cli/main.ts",
  host: "main/engine/host.ts",
  electron: "main/electron/main.ts",
}

function nodeBundle(input, output, { emptyOutDir }) {
  return build({
    configFile: false,
    root: top,
    logLevel: "warn",
    publicDir: false,
    ssr: { noExternal: true },
    build: {
      ssr: true,
      target: "node24",
      outDir: join(top, "dist/main"),
      emptyOutDir,
      sourcemap: true,
      minify: false,
      rolldownOptions: { input, external, output },
    },
  })
}

const bundles = {
  async program() {
    await nodeBundle(entries, { format: "es", entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" }, { emptyOutDir: true })
    // A sandboxed preload must be one CommonJS file.
    await nodeBundle({ preload: "main/electron/preload.ts" }, { format: "cjs", entryFileNames: "[name].cjs" }, { emptyOutDir: false })
  },
  page: () => build({ configFile: join(top, "vite.config.ts"), logLevel: "warn" }),
}

for (const name of process.argv.slice(2)) await bundles[name]()
