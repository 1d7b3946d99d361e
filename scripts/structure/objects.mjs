// The weak-symbol rule: a function that the compiler emits in isa_<set>.o as a weak symbol may be the copy that the linker keeps
// for the whole program, and would then crash on processors without that set. So each weak symbol must name its set.
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"

function* objects(folder) {
  if (!existsSync(folder)) return
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* objects(path)
    // The scalar set has no instructions of its own: its copy runs everywhere.
    else if (/^isa_(?!scalar)\w+\.cc\.o$/.test(entry.name)) yield path
  }
}

/** Weak symbols that lack their set's namespace, from the output of `nm -C`. The table's reference to a personality routine is data. */
export function foreignWeakSymbols(set, listing) {
  return listing
    .split("\n")
    .map((line) => line.match(/^[0-9a-f]+ [WVu] (.*)$/)?.[1])
    .filter((symbol) => symbol && !symbol.startsWith("DW.ref.") && !symbol.includes(`${set}::`))
}

/** Checks the objects of one build folder; null where there are none or no nm to read them with. */
export function objectViolations(buildFolder) {
  const files = [...objects(buildFolder)]
  if (!files.length) return null
  const found = []
  for (const file of files) {
    const { status, stdout } = spawnSync("nm", ["-C", file], { encoding: "utf8", maxBuffer: 1 << 26 })
    if (status !== 0) return null
    const set = file.match(/isa_(\w+)\.cc\.o$/)[1]
    found.push(...foreignWeakSymbols(set, stdout).map((symbol) => `isa_${set}.o: weak symbol without its set's namespace: ${symbol}`))
  }
  return found
}
