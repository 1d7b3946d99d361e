// The structure check: folders, imports, cycles, names, sizes, tests that must exist, weak symbols. `npm run check` runs it;
// alone: node scripts/check_structure.mjs [folder]. The rules stand in structure/table.mjs.
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { top } from "./places.mjs"
import { objectViolations } from "./structure/objects.mjs"
import * as rules from "./structure/rules.mjs"
import { areas, readSources } from "./structure/sources.mjs"
import { notRead } from "./structure/table.mjs"

/** Everything that breaks a rule under `root`, as sentences. */
export function checkStructure(root) {
  const files = readSources(root, notRead)
  const violations = [
    ...rules.layerViolations(files),
    ...rules.placementViolations(files),
    ...rules.cycleViolations(files),
    ...rules.nameViolations(files),
    ...rules.sizeViolations(files),
    ...rules.mirrorViolations(files),
    ...(objectViolations(join(root, "build/release")) ?? []),
  ]
  return { files, violations, notes: rules.sizeNotes(files) }
}

const git = (...args) => spawnSync("git", args, { cwd: top, encoding: "utf8" }).stdout?.trim() ?? ""

/** The commit that the change is counted from: BASE, or where this branch left origin/main, or the last commit. */
function baseCommit() {
  return process.env.BASE || git("merge-base", "HEAD", "origin/main") || "HEAD"
}

/** Lines added less lines removed per area since a commit; what git does not track yet counts as added. */
function linesChanged(base, files) {
  const change = Object.fromEntries(areas.map((area) => [area, 0]))
  const counted = new Set(files.filter((file) => file.lines).map((file) => file.path))
  const count = (path, lines) => {
    const area = path.split("/")[0]
    if (area in change) change[area] += lines
  }
  for (const line of git("diff", "--numstat", "--no-renames", base).split("\n")) {
    const [added, removed, path] = line.split("\t")
    if (path && /\.(ts|tsx|mjs|css|cc|h|cu|cuh|def)$/.test(path)) count(path, Number(added) - Number(removed))
  }
  const untracked = new Set(git("ls-files", "--others", "--exclude-standard").split("\n"))
  for (const file of files) if (counted.has(file.path) && untracked.has(file.path)) count(file.path, file.lines)
  return change
}

function printSizes(files) {
  const base = baseCommit()
  const change = linesChanged(base, files)
  const print = (area, lines, delta) => console.log(`  ${area.padEnd(10)}${String(lines).padStart(7)}  ${delta >= 0 ? "+" : ""}${delta}`)
  console.log(`lines, and the change since ${git("rev-parse", "--short", base) || base}:`)
  const total = { lines: 0, delta: 0 }
  for (const area of areas) {
    const lines = files.filter((file) => file.path.startsWith(`${area}/`)).reduce((sum, file) => sum + file.lines, 0)
    if (lines) print(area, lines, change[area])
    total.lines += lines
    total.delta += change[area]
  }
  print("all", total.lines, total.delta)
  console.log("largest files:")
  const largest = [...files].sort((a, b) => b.lines - a.lines).slice(0, 10)
  for (const file of largest) console.log(`  ${String(file.lines).padStart(5)}  ${file.path}`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { files, violations, notes } = checkStructure(process.argv[2] ?? top)
  printSizes(files)
  for (const note of notes) console.log(`note: ${note}`)
  for (const violation of violations) console.error(`error: ${violation}`)
  if (violations.length) process.exitCode = 1
}
