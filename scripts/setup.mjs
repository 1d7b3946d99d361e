// Makes a checkout ready to run: packages, native engine, bundles. Shared by every script that runs the program; does again
// only what changed, and nothing at all in well under a second when nothing did.
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs"
import { join, relative } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { pathToFileURL } from "node:url"
import { isFresh, markFresh, takeStamp } from "./fresh.mjs"
import { cores, pinnedNode, tools, top } from "./places.mjs"
import { Failure, fail, npm, runLogged, step } from "./progress.mjs"
import { checkBuildTools, checkNode } from "./requirements.mjs"

/** Where cmake-js configures and builds; the native tests are built there too, so that the engine is compiled once. */
export const nativeBuild = "build/release"

const packages = {
  name: "packages",
  title: "Installing packages",
  inputs: ["package.json", "package-lock.json", ".npmrc"],
  outputs: ["node_modules/.package-lock.json", relative(top, pinnedNode)],
  isDone: isInstalled,
  async run() {
    // The flags silence remarks on packages that want a newer Node than the one npm runs on: they run on the pinned one.
    await npm("packages", ["ci", "--no-audit", "--no-fund", "--loglevel=error"])
    if (!existsSync(pinnedNode))
      throw new Failure(
        `npm ci did not bring the pinned Node (${pinnedNode}): its install script did not run. See "allowScripts" in package.json.`,
      )
  },
}

const native = {
  name: "native",
  title: "Building the engine",
  inputs: ["native", "package.json", "package-lock.json"],
  outputs: ["dist/engine.node"],
  async run(report) {
    checkBuildTools()
    removeForeignBuild()
    const where = ["--directory", "native", "--out", nativeBuild, "--config", "Release"]
    // Configured every time: cmake-js by itself would keep a configuration that failed half way.
    await runLogged("native-configure", pinnedNode, [tools.cmakeJs, "configure", ...where])
    const what = ["--target", "engine", "--parallel", String(cores)]
    await runLogged("native", pinnedNode, [tools.cmakeJs, "build", ...where, ...what], { onLine: reportBuild(report) })
    // Renamed into place: a running engine keeps the file that it has mapped.
    mkdirSync(join(top, "dist"), { recursive: true })
    copyFileSync(join(top, nativeBuild, "Release/engine.node"), join(top, "dist/engine.node.new"))
    renameSync(join(top, "dist/engine.node.new"), join(top, "dist/engine.node"))
  },
}

const program = {
  name: "program",
  title: "Bundling the program",
  inputs: ["main", "shared", "scripts/bundle.mjs", "package-lock.json"],
  outputs: ["dist/main/cli.mjs", "dist/main/host.mjs"],
  run: () => runLogged("program", pinnedNode, [join(top, "scripts/bundle.mjs"), "program"]),
}

const page = {
  name: "page",
  title: "Bundling the page",
  inputs: ["renderer", "shared", "scripts/bundle.mjs", "vite.config.ts", "package-lock.json"],
  outputs: ["dist/page/index.html"],
  run: () => runLogged("page", pinnedNode, [join(top, "scripts/bundle.mjs"), "page"]),
}

const steps = [packages, native, program, page]

/** Compares the lock with what npm noted in node_modules, so that `npm install X` by hand is not followed by a whole `npm ci`. */
function isInstalled() {
  if (!packages.outputs.every((output) => existsSync(join(top, output)))) return false
  const wanted = JSON.parse(readFileSync(join(top, "package-lock.json"), "utf8")).packages
  const installed = JSON.parse(readFileSync(join(top, "node_modules/.package-lock.json"), "utf8")).packages
  return Object.entries(wanted).every(
    ([path, entry]) => path === "" || installed[path]?.version === entry.version || (entry.optional && !installed[path]),
  )
}

/** CMake refuses a build folder that was configured for a checkout elsewhere (moved or copied). */
function removeForeignBuild() {
  const cache = join(top, nativeBuild, "CMakeCache.txt")
  if (!existsSync(cache)) return
  const source = readFileSync(cache, "utf8").match(/^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m)?.[1]
  if (source !== join(top, "native").replaceAll("\\", "/")) rmSync(join(top, nativeBuild), { recursive: true })
}

/** Ninja tells [12/48], make tells [ 25%]. */
export function reportBuild(report) {
  return (line) => {
    const progress = line.match(/^\[\s*(\d+\/\d+|\d+%)\]/)
    if (progress) report(progress[1])
  }
}

/** True when nothing is left to do; takes a few milliseconds. */
export function isSetUp() {
  return steps.every(isFresh)
}

const lockFile = join(top, "build/setup.lock")

/** One set-up at a time: a second one waits, then mostly finds its work done. */
async function takeLock() {
  mkdirSync(join(top, "build"), { recursive: true })
  for (let hasSaid = false; ; ) {
    try {
      const file = openSync(lockFile, "wx")
      writeSync(file, String(process.pid))
      closeSync(file)
      return
    } catch (error) {
      if (error.code !== "EEXIST") throw error
    }
    const owner = lockOwner()
    if (owner && !isAlive(owner)) rmSync(lockFile, { force: true })
    else if (owner && !hasSaid) {
      process.stderr.write(`Another set-up of this checkout is running (process ${owner}); waiting for it.\n`)
      hasSaid = true
    }
    await sleep(100)
  }
}

/** The process that holds the lock; 0 while it is being written or was just given back. */
function lockOwner() {
  try {
    return Number(readFileSync(lockFile, "utf8"))
  } catch {
    return 0
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === "EPERM"
  }
}

/** Does what is left to do, saying so. `force` names steps to run whatever their stamps say, `skip` steps to leave. */
export async function setUp({ force = [], skip = [] } = {}) {
  checkNode()
  if (!force.length && isSetUp()) return
  await takeLock()
  try {
    for (const [index, one] of steps.entries()) {
      const isForced = force.includes(one.name)
      if (skip.includes(one.name) || (!isForced && isFresh(one))) continue
      const stamp = takeStamp(one)
      if (isForced || !one.isDone?.()) await step(`[${index + 1}/${steps.length}]`, one.title, one.run)
      markFresh(one, stamp)
    }
  } finally {
    rmSync(lockFile, { force: true })
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await setUp().catch(fail)
