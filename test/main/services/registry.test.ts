import { mkdirSync, renameSync } from "node:fs"
import { join } from "node:path"
import { expect, it, onTestFinished } from "vitest"
import { createEvents } from "../../../main/services/events.ts"
import { createRegistry } from "../../../main/services/registry.ts"
import { openDatabase } from "../../../main/storage/database.ts"
import { dataPaths } from "../../../main/storage/paths.ts"
import type { AppEvent } from "../../../shared/contract/app.ts"
import type { ModelInspection } from "../../../shared/schema/model.ts"
import { scratchFolder } from "../scratch.ts"

function inspection(path: string, change: Partial<ModelInspection> = {}): ModelInspection {
  const about = {
    name: "tiny",
    architecture: "LlamaForCausalLM",
    supported: true,
    reason: null,
    can_be_quantized: false,
    format: "nf4",
    license: "mit",
  }
  const sizes = { parameters: 1000, quantizable_parameters: 900, expert_parameters: 0, layers: 2, context_length: 64, disk_bytes: 500 }
  return { path, ...about, ...sizes, tokenizer: "BPE", chat_template: true, ...change }
}

function made(home = scratchFolder()) {
  const paths = dataPaths(home)
  mkdirSync(paths.models, { recursive: true })
  const database = openDatabase(paths.database)
  onTestFinished(() => database.close())
  const events = createEvents()
  const seen: AppEvent[] = []
  events.subscribe((event) => seen.push(event))
  const registry = createRegistry({ database, events, paths })
  const folder = (name: string) => {
    const path = join(paths.models, name)
    mkdirSync(path)
    return path
  }
  return { home, paths, registry, seen, folder, close: database.close }
}

it("keeps a record of each model, and tells changes", () => {
  const { registry, seen, folder } = made()
  const path = folder("tiny-nf4")
  const model = registry.add({ inspection: inspection(path), source: "local", note: "A note.", isOwned: true })
  expect(model).toMatchObject({
    name: "tiny",
    path,
    format: "nf4",
    license: "mit",
    note: "A note.",
    isOwned: true,
    supported: true,
    reason: null,
  })
  expect(registry.list()).toEqual([model])
  expect(registry.get(model.id)).toEqual(model)
  expect(seen).toEqual([{ type: "models", models: [model] }])
  registry.remove(model.id)
  expect(seen.at(-1)).toEqual({ type: "models", models: [] })
  expect(() => registry.get(model.id)).toThrow(expect.objectContaining({ code: "not_found" }))
})

it("has one record per path, with the same id when it is renewed", () => {
  const { registry } = made()
  const path = scratchFolder()
  const first = registry.add({ inspection: inspection(path), source: "local", note: null, isOwned: false })
  const second = registry.add({ inspection: inspection(path, { format: "int8" }), source: "local", note: null, isOwned: false })
  expect(second).toMatchObject({ id: first.id, addedAt: first.addedAt, format: "int8" })
  expect(registry.list()).toHaveLength(1)
  expect(registry.atPath(path)?.id).toBe(first.id)
})

it("finds owned models again when the data folder was moved", () => {
  const first = made()
  first.registry.add({ inspection: inspection(first.folder("tiny")), source: "local", note: null, isOwned: true })
  first.close()
  const home = join(scratchFolder(), "moved")
  renameSync(first.home, home)
  mkdirSync(first.home)
  expect(made(home).registry.list()).toMatchObject([{ path: join(home, "models", "tiny"), supported: true }])
})

it("marks models whose files are gone, and those that cannot run", () => {
  const { registry, paths } = made()
  const gone = join(paths.models, "gone")
  registry.add({ inspection: inspection(gone), source: "local", note: null, isOwned: true })
  registry.add({
    inspection: inspection(scratchFolder(), { supported: false, reason: "architecture `Foo` is not supported yet" }),
    source: "local",
    note: null,
    isOwned: false,
  })
  expect(registry.list().map(({ supported, reason }) => [supported, reason])).toEqual([
    [false, `The files are gone: there is no ${gone}.`],
    [false, "architecture `Foo` is not supported yet"],
  ])
})

it("owns nothing outside its folder", () => {
  const { registry, paths, home } = made()
  for (const path of [scratchFolder(), home, paths.models, join(paths.models, "..", "nibble.db")])
    expect(() => registry.add({ inspection: inspection(path), source: "local", note: null, isOwned: true })).toThrow(/does not lie in/)
  expect(registry.list()).toEqual([])
})

it("finds a model by id, name, name and format, or folder, if only one fits", () => {
  const { registry, folder } = made()
  const one = registry.add({ inspection: inspection(folder("tiny-nf4")), source: "local", note: null, isOwned: true })
  expect(registry.find("tiny")?.id).toBe(one.id)
  const two = registry.add({ inspection: inspection(folder("copy"), { format: "int8" }), source: "local", note: null, isOwned: true })
  expect(registry.find("tiny")).toBeNull()
  expect(registry.find("tiny-int8")?.id).toBe(two.id)
  expect(registry.find("tiny-nf4")?.id).toBe(one.id)
  expect(registry.find("copy")?.id).toBe(two.id)
  expect(registry.find(one.id)?.id).toBe(one.id)
  expect(registry.find("none")).toBeNull()
})
