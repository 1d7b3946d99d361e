// npm run bench: end-to-end speed and memory, beside llama.cpp on the same cores. llama.cpp comes from the npm package node-llama-cpp, which
// is fetched on first use into build/llama-cpp: as a dependency it would bring 670 MB of GPU binaries to everybody.
import { existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { pinnedNode, top } from "./places.mjs"
import { Failure, fail, npm, runInForeground, step } from "./progress.mjs"
import { setUp } from "./setup.mjs"

const version = "3.22.1"
const folder = join(top, "build/llama-cpp")
const entry = join(folder, "node_modules/node-llama-cpp/dist/index.js")

const prebuilt = {
  "linux-x64": "linux-x64",
  "linux-arm64": "linux-arm64",
  "darwin-arm64": "mac-arm64-metal",
  "darwin-x64": "mac-x64",
  "win32-x64": "win-x64",
  "win32-arm64": "win-arm64",
}[`${process.platform}-${process.arch}`]

/** Its address for bench/run.ts, or the reason why there is none; the bench then measures Nibble alone. */
async function llamaCpp() {
  if (existsSync(entry)) return { NIBBLE_LLAMA_CPP: entry }
  if (!prebuilt) return { NIBBLE_LLAMA_CPP_MISSING: `node-llama-cpp has no binary for ${process.platform} on ${process.arch}` }
  mkdirSync(folder, { recursive: true })
  const packages = [`node-llama-cpp@${version}`, `@node-llama-cpp/${prebuilt}@${version}`]
  try {
    await step("[+]", "Fetching llama.cpp for comparison", () =>
      npm("llama-cpp", ["install", "--prefix", folder, "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error", ...packages]),
    )
    return { NIBBLE_LLAMA_CPP: entry }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { NIBBLE_LLAMA_CPP_MISSING: "node-llama-cpp could not be installed (see build/logs/llama-cpp.log)" }
  }
}

try {
  await setUp()
  const env = { ...process.env, ...(await llamaCpp()) }
  process.exitCode = await runInForeground(pinnedNode, [join(top, "bench/run.ts"), ...process.argv.slice(2)], { env })
} catch (error) {
  fail(error)
}
