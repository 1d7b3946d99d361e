import { renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { createArrivals, isComplete } from "../../../main/engine/arrivals.ts"
import { scratchFolder } from "../scratch.ts"

const never = new AbortController().signal

function files(folder: string, ...names: string[]) {
  return names.map((name) => ({ path: join(folder, name), bytes: 100, name }))
}

it("takes files that were there before, in their order", async () => {
  const folder = scratchFolder()
  const arrivals = createArrivals()
  const [a, b, c] = files(folder, "a", "b", "c")
  if (!a || !b || !c) throw new Error("three files")
  writeFileSync(a.path, "only a header")
  writeFileSync(b.path, Buffer.alloc(100))
  writeFileSync(join(folder, "elsewhere"), Buffer.alloc(100))
  symlinkSync(join(folder, "elsewhere"), c.path)
  expect(await arrivals.next([a, b, c], never)).toBe(b)
  expect(await arrivals.next([a, c], never)).toBe(c)
  expect(await isComplete({ path: folder, bytes: 1 })).toBe(false)
})

it("goes on when a file takes its place, and lets others wait", async () => {
  const folder = scratchFolder()
  const arrivals = createArrivals()
  const [a, b] = files(folder, "a", "b")
  if (!a || !b) throw new Error("two files")
  const first = arrivals.next([a], never)
  const second = arrivals.next([b, a], never)
  let isOver = false
  void first.finally(() => {
    isOver = true
  })
  writeFileSync(`${b.path}.part`, Buffer.alloc(100))
  renameSync(`${b.path}.part`, b.path)
  arrivals.announce()
  expect(await second).toBe(b)
  expect(isOver).toBe(false)
  rmSync(b.path)
  writeFileSync(a.path, Buffer.alloc(100))
  arrivals.announce()
  expect(await first).toBe(a)
})

it("ends waiting when it is cancelled", async () => {
  const arrivals = createArrivals()
  const abort = new AbortController()
  const waiting = arrivals.next(files(scratchFolder(), "a"), abort.signal)
  abort.abort()
  await expect(waiting).rejects.toMatchObject({ code: "cancelled" })
  await expect(arrivals.next([], abort.signal)).rejects.toMatchObject({ code: "cancelled" })
})
