// The rules of table.mjs, applied. Each function returns sentences, one per violation.
import { basename } from "node:path"
import { isUnder } from "./sources.mjs"
import { forbiddenPaths, largestFile_bytes, mirrors, names, placements, sizes, words, zones } from "./table.mjs"

/** `native/ops/cpu/isa_*.cc` and `renderer/features/*` match one path part per star. */
const matches = (path, pattern) => new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", "[^/]+")}(/|$)`).test(path)

/** The folder whose rules hold for a file: a starred zone becomes the very subfolder. Null outside all zones. */
export function zoneOf(path) {
  let best = null
  for (const zone of zones) {
    if (!matches(path, zone.folder)) continue
    const folder = path.split("/").slice(0, zone.folder.split("/").length).join("/")
    if (folder !== path && (!best || folder.length > best.folder.length)) best = { folder, mayUse: zone.mayUse }
  }
  return best
}

export function layerViolations(files) {
  const found = []
  for (const { path, uses } of files) {
    const from = zoneOf(path)
    if (!from) {
      // Loose files at the head of native/ (presets, package.json) use nothing.
      if (uses.length) found.push(`${path}: lies in no folder of the architecture`)
      continue
    }
    for (const use of uses) {
      const to = use.path && zoneOf(use.path)
      if (!to || to.folder === from.folder) continue
      const allowed = from.mayUse.some((folder) => matches(to.folder, folder) && to.folder.split("/").length === folder.split("/").length)
      if (!allowed) found.push(`${path}: ${from.folder} must not use ${to.folder} (${use.module})`)
    }
  }
  return found
}

export function placementViolations(files) {
  const found = []
  for (const { path, uses, code } of files) {
    for (const { module } of uses) {
      for (const rule of placements) {
        if (!rule.module.test(module)) continue
        if (rule.in && !rule.in.some((place) => matches(path, place)))
          found.push(`${path}: ${module} belongs only in ${rule.in.join(", ")}`)
        if (rule.notIn?.some((place) => matches(path, place))) found.push(`${path}: ${module} has no place in ${rule.notIn.join(", ")}`)
      }
    }
    for (const rule of words) {
      const isMeant = rule.among.some((place) => isUnder(path, place)) && !rule.in.includes(path)
      if (isMeant && code.includes(rule.word)) found.push(`${path}: ${rule.word} is named outside ${rule.in.join(", ")}`)
    }
  }
  return found
}

/** Depth first over what each file uses; a file met again while it is still open closes a cycle. */
export function cycleViolations(files) {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const state = new Map()
  const open = []
  const found = []
  const visit = (path) => {
    if (state.get(path) === "done" || !byPath.has(path)) return
    if (state.get(path) === "open") {
      found.push(`cycle: ${[...open.slice(open.indexOf(path)), path].join(" -> ")}`)
      return
    }
    state.set(path, "open")
    open.push(path)
    for (const use of byPath.get(path).uses) if (use.path && use.path !== path) visit(use.path)
    open.pop()
    state.set(path, "done")
  }
  for (const path of byPath.keys()) visit(path)
  return found
}

export function nameViolations(files) {
  return files.flatMap(({ path }) => [
    ...forbiddenPaths.filter((rule) => rule.path.test(path)).map((rule) => `${path}: ${rule.say}`),
    ...names
      .filter((rule) => rule.files.test(path) && !rule.form.test(basename(path)))
      .map((rule) => `${path}: the name is not in ${rule.say}`),
  ])
}

export function sizeViolations(files) {
  return files.flatMap(({ path, lines, bytes }) => [
    ...(bytes > largestFile_bytes ? [`${path}: ${bytes} bytes (limit ${largestFile_bytes})`] : []),
    ...sizes.filter((size) => size.files.test(path) && lines > size.hard).map((size) => `${path}: ${lines} lines (limit ${size.hard})`),
  ])
}

/** Not errors: files on their way to the limit. */
export function sizeNotes(files) {
  return files.flatMap(({ path, lines }) =>
    sizes
      .filter((size) => size.files.test(path) && lines > size.soft && lines <= size.hard)
      .map((size) => `${path}: ${lines} lines (over ${size.soft})`),
  )
}

export function mirrorViolations(files) {
  const paths = new Set(files.map((file) => file.path))
  return files.flatMap(({ path }) =>
    mirrors
      .filter((rule) => rule.file.test(path))
      .map((rule) => path.replace(rule.file, rule.test))
      .filter((test) => !paths.has(test))
      .map((test) => `${path}: has no test ${test}`),
  )
}
