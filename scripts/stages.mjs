// The stages of `npm run check` and `npm test`. Each is `{ name, run }`; `run` resolves with counts `{ passed, failed, skipped, why?,
// failures? }`: `why` it was skipped, and a text for each failure that has more to say than the stage's name.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { installArmTools } from "./arm-tools.mjs"
import { findOrInstallBrowser } from "./browser.mjs"
import { cores, pinnedNode, tools, top } from "./places.mjs"
import { Failure, runInForeground, runLogged, step } from "./progress.mjs"
import { ctestReport, playwrightReport, vitestReport } from "./reports.mjs"
import { reportBuild, setUp } from "./setup.mjs"

const one = { passed: 1, failed: 0, skipped: 0 }
const oneFailed = { passed: 0, failed: 1, skipped: 0 }
const skip = (why) => ({ passed: 0, failed: 0, skipped: 1, why })

/** A tool whose exit code is its whole result. */
const verdict = async (command, args, options) => ((await runInForeground(command, args, { cwd: top, ...options })) === 0 ? one : oneFailed)

/** An empty place for a runner's own report. */
function resultFile(name) {
  const file = join(top, "build/results", name)
  mkdirSync(join(top, "build/results"), { recursive: true })
  rmSync(file, { force: true })
  return file
}

/** A runner that failed without a failed test (it did not even start, a file did not load) counts as one failure. */
function withExit(counts, code) {
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}

const structure = { name: "structure", run: () => verdict(pinnedNode, [join(top, "scripts/check_structure.mjs")]) }
const types = { name: "types", run: () => verdict(pinnedNode, [tools.tsc, "-b", top]) }
const lint = { name: "lint and format", run: () => verdict(pinnedNode, [tools.biome, "check", "--error-on-warnings", top]) }

/** Versions break lines differently, so only this one judges. */
const clangFormatVersion = "14"

const nativeFormat = {
  name: "format of C++",
  async run() {
    const version = spawnSync("clang-format", ["--version"], { encoding: "utf8" }).stdout?.match(/version (\d+)/)?.[1]
    if (version !== clangFormatVersion) return skip(`clang-format ${clangFormatVersion} is not installed (${version ?? "none"} is)`)
    const { stdout } = spawnSync("git", ["ls-files", "-z", "native", "test/native"], { cwd: top, encoding: "utf8" })
    const files = stdout.split("\0").filter((file) => /\.(h|cc)$/.test(file) && existsSync(join(top, file)))
    return verdict("clang-format", ["--dry-run", "-Werror", ...files])
  },
}

/** Builds every target of a configured folder; warnings are errors there. */
function build(title, folder) {
  const args = ["--build", folder, "--config", "Release", "--parallel", String(cores)]
  return step("  ", title, (report) => runLogged("native-tests", "cmake", args, { onLine: reportBuild(report) }))
}

async function ctest(folder, name) {
  const file = resultFile(`${name}.xml`)
  const code = await runInForeground("ctest", ["--test-dir", folder, "--output-on-failure", "--output-junit", file], { cwd: top })
  return withExit(ctestReport(file), code)
}

const nativeTests = {
  name: "native tests",
  async run() {
    await step("  ", "Configuring", () => runLogged("native-configure", "cmake", ["--preset", "release"], { cwd: join(top, "native") }))
    await build("Building the native tests", "build/core")
    return ctest("build/core", "native")
  },
}

const sanitizers = {
  name: "native tests with address and undefined-behaviour sanitizers",
  async run() {
    await step("  ", "Configuring", () => runLogged("asan-configure", "cmake", ["--preset", "asan"], { cwd: join(top, "native") }))
    await build("Building with sanitizers", "build/asan")
    return ctest("build/asan", "asan")
  },
}

const neon = {
  name: "native tests of the ARM code, cross-compiled and emulated",
  async run() {
    const missing = await step("  ", "Finding a compiler and an emulator for 64-bit ARM", installArmTools)
    if (missing.length) return skip(`${missing.join(" and ")} not installed`)
    await step("  ", "Configuring", () => runLogged("neon-configure", "cmake", ["--preset", "neon-qemu"], { cwd: join(top, "native") }))
    await build("Building for 64-bit ARM", "build/neon")
    return ctest("build/neon", "neon")
  },
}

const vitest = {
  name: "vitest",
  async run() {
    const file = resultFile("vitest.json")
    const code = await runInForeground(
      pinnedNode,
      [tools.vitest, "run", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`],
      { cwd: top },
    )
    return withExit(vitestReport(file, top), code)
  },
}

const endToEnd = {
  name: "end to end",
  async run() {
    const file = resultFile("e2e.json")
    const env = { ...process.env, CHROME_PATH: await findOrInstallBrowser(), PLAYWRIGHT_JSON_OUTPUT_NAME: file }
    const code = await runInForeground(pinnedNode, [tools.playwright, "test", "--reporter=list,json"], { cwd: top, env })
    return withExit(playwrightReport(file), code)
  },
}

const interopPackages = "import torch, transformers, bitsandbytes, accelerate, peft, safetensors, tokenizers, gguf"
const noPackages = 3

const interop = {
  name: "quantized folders read by transformers and bitsandbytes",
  async run() {
    const python = process.env.NIBBLE_PYTHON ?? "python3"
    // They are some GB: a developer's test run takes them where they are, the integration machine fetches them into build/interop-venv.
    const isThere = spawnSync(python, ["-c", interopPackages], { stdio: "ignore" }).status === 0
    if (!isThere && !process.env.CI)
      return skip("no Python with the packages of scripts/requirements-golden.txt (NIBBLE_PYTHON names another)")
    const code = await runInForeground(python, [join(top, "scripts/interop.py")], { cwd: top })
    if (code === noPackages) return skip("the packages of scripts/requirements-golden.txt cannot be had here")
    return code === 0 ? one : oneFailed
  },
}

/** First in every list. Where it fails before there is a Node to run the others on, it is the only one. */
const preparation = {
  name: "set-up",
  isNeeded: () => !existsSync(pinnedNode),
  run: () => setUp().then(() => one),
}

export const checkStages = [preparation, structure, types, lint, nativeFormat, nativeTests, vitest]
export const testStages = [...checkStages, endToEnd, sanitizers, neon, interop]

/**
 * Runs stages one after another, also after a failed one, and prints a line for each. At the end come the failures once more, so that
 * whoever sees only the end of a long output sees them, and the sum. Resolves with the number of failures.
 */
export async function runStages(stages) {
  const total = { passed: 0, failed: 0, skipped: 0 }
  const failures = []
  for (const { name, run, isNeeded } of stages) {
    const since = Date.now()
    process.stderr.write(`\n== ${name}\n`)
    const counts = await run().catch((error) => {
      const message = error instanceof Failure ? error.message : error.stack
      process.stderr.write(`${message}\n`)
      return { ...oneFailed, failures: [message] }
    })
    for (const key of Object.keys(total)) total[key] += counts[key]
    const why = counts.why ? `: ${counts.why}` : ""
    process.stderr.write(`== ${name}: ${inWords(counts)}${why} · ${((Date.now() - since) / 1000).toFixed(1)} s\n`)
    if (counts.failed) failures.push(`== ${name}`, ...(counts.failures ?? []))
    if (counts.failed && isNeeded?.()) break
  }
  if (failures.length) process.stderr.write(`\nWhat failed:\n${failures.join("\n")}\n`)
  process.stdout.write(`\n${inWords(total)}\n`)
  return total.failed
}

const inWords = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`
