// Tells whether what a step made is still up to date. A stamp under build/stamps holds two fingerprints of the step's inputs:
// one of sizes and times (milliseconds to check) and one of contents (asked only when the first differs, so that a checkout or a touch rebuilds nothing).
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { top } from "./places.mjs"

const stampFile = (name) => join(top, "build/stamps", `${name}.json`)

function* filesUnder(path) {
  const stat = statSync(join(top, path), { throwIfNoEntry: false })
  if (!stat) return
  if (!stat.isDirectory()) yield { path, stat }
  else for (const entry of readdirSync(join(top, path)).sort()) yield* filesUnder(`${path}/${entry}`)
}

function fingerprints(inputs) {
  const files = inputs.flatMap((input) => [...filesUnder(input)])
  const hash = (what) => files.reduce((sum, file) => sum.update(`${file.path}\0${what(file)}\0`), createHash("sha256")).digest("hex")
  return {
    times: hash(({ stat }) => `${stat.size} ${stat.mtimeMs}`),
    contents: () =>
      hash(({ path }) =>
        createHash("sha256")
          .update(readFileSync(join(top, path)))
          .digest("hex"),
      ),
  }
}

function write(name, stamp) {
  mkdirSync(join(top, "build/stamps"), { recursive: true })
  writeFileSync(stampFile(name), JSON.stringify(stamp))
}

/** True when the outputs exist and the inputs (files and folders, relative to the checkout) are those of the last `markFresh`. */
export function isFresh({ name, inputs, outputs }) {
  if (!existsSync(stampFile(name)) || !outputs.every((output) => existsSync(join(top, output)))) return false
  const stamp = JSON.parse(readFileSync(stampFile(name), "utf8"))
  const now = fingerprints(inputs)
  if (stamp.times === now.times) return true
  const contents = now.contents()
  if (stamp.contents !== contents) return false
  write(name, { times: now.times, contents })
  return true
}

/** The inputs as they are now; taken before a step works on them, so that an edit during the step is not missed. */
export function takeStamp({ inputs }) {
  const now = fingerprints(inputs)
  return { times: now.times, contents: now.contents() }
}

export function markFresh({ name }, stamp) {
  write(name, stamp)
}
