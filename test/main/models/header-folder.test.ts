import { copyFileSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { placeInPartial, requireWholeFiles, writePartialFiles } from "../../../main/models/header-folder.ts"
import { inspectModel } from "../../../main/models/inspect.ts"
import { openModel } from "../../../main/models/open.ts"
import { headersOf } from "./headers-of.ts"

const llama = join(import.meta.dirname, "../../fixtures/models/llama")

test("a folder of headers is inspected and opened as the whole model is, and its weights are refused", async () => {
  const headers = await headersOf(llama)
  const { path: _, ...partial } = await inspectModel(headers, { withTensors: true })
  const { path: __, ...whole } = await inspectModel(llama, { withTensors: true })
  // The note itself is no part of the model.
  expect({ ...partial, disk_bytes: 0 }).toEqual({ ...whole, disk_bytes: 0 })
  const opened = await openModel(headers)
  expect(opened.source.tensors.length).toBe((await openModel(llama)).source.tensors.length)
  await expect(requireWholeFiles(opened.files)).rejects.toMatchObject({ code: "not_found", hint: "Download the model first." })
})

test("a file that came whole meanwhile counts as it is", async () => {
  const headers = await headersOf(llama)
  copyFileSync(join(llama, "model.safetensors"), join(headers, "model.safetensors"))
  const { files } = await openModel(headers)
  await expect(requireWholeFiles(files)).resolves.toBeUndefined()
})

test("bytes that are not there, and notes that promise too much, are refused", async () => {
  const headers = await headersOf(llama)
  const weights = join(headers, "model.safetensors")
  const bytes = statSync(join(llama, "model.safetensors")).size
  await writePartialFiles(headers, new Map([["model.safetensors", { bytes, ranges: [[0, 4]] }]]))
  await expect(inspectModel(headers)).rejects.toMatchObject({ code: "not_found" })
  await writePartialFiles(headers, new Map([["model.safetensors", { bytes, ranges: [[0, bytes]] }]]))
  writeFileSync(weights, readFileSync(weights).subarray(0, 20))
  await expect(inspectModel(headers)).rejects.toMatchObject({ code: "bad_file" })
  // A note that is none is no note.
  writeFileSync(join(headers, ".nibble-headers.json"), '{"files": 1}')
  await expect(inspectModel(headers)).rejects.toMatchObject({ code: "bad_file" })
})

test("bytes are found in the ranges that hold them whole", () => {
  const file = {
    bytes: 1000,
    ranges: [
      [0, 10],
      [100, 5],
    ] as [number, number][],
  }
  expect([placeInPartial(file, 2, 8), placeInPartial(file, 101, 4)]).toEqual([2, 11])
  expect([placeInPartial(file, 8, 4), placeInPartial(file, 50, 1), placeInPartial(file, 100, 6)]).toEqual([null, null, null])
})
