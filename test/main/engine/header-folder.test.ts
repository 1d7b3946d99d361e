// What needs the weights says at once that they are not here yet, instead of failing in the middle of a file.
import { existsSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { headersOf } from "../models/headers-of.ts"
import { models, temporaryFolder, testEngine } from "./fixtures.ts"

const { client } = testEngine()
const llama = join(models, "llama")
const out = join(temporaryFolder(), "out")

test.each([
  ["loading", (path: string) => client["model.load"]({ path }, () => {})],
  ["quantizing", (path: string) => client["quantize.run"]({ path, out, format: "nf4" }, () => {})],
  ["measuring", (path: string) => client["quality.run"]({ path, formats: ["nf4"] }, () => {})],
  ["measuring beside another", (other: string) => client["quality.run"]({ path: llama, other, formats: [] }, () => {})],
])("%s asks for a download when only the headers are here", async (_, use) => {
  const path = await headersOf(llama)
  await expect(use(path)).rejects.toMatchObject({
    ...{ code: "not_found", hint: "Download the model first." },
    message: `${join(path, "model.safetensors")} holds only the header of the weights, which is enough to plan for the model but not to use it.`,
  })
  expect(existsSync(out)).toBe(false)
})
