// nibble inspect --outliers, and the options of LLM.int8() of the commands that load.
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import type { OutlierReport } from "../../../shared/schema/outliers.ts"
import { models, nibble, scratch } from "./run-cli.ts"

const llama = join(models, "llama")
const int8 = join(models, "llama-int8")

it("tells layer by layer what would be an outlier, as a table and as JSON", async () => {
  const text = join(scratch, "text.txt")
  writeFileSync(text, "The quick brown fox jumps over the lazy dog. ".repeat(4))
  const [json, table] = await Promise.all([
    nibble(["inspect", llama, "--outliers", "--threshold", "1.5", "--text", text, "--json"]),
    nibble(["inspect", llama, "--outliers", "--threshold", "1.5", "--text", "-"], { input: readFileSync(text, "utf8") }),
  ])
  const { outliers, architecture } = json.json<{ outliers: OutlierReport; architecture: string }>()
  expect(architecture).toBe("LlamaForCausalLM")
  expect(outliers).toMatchObject({ threshold: 1.5 })
  expect(outliers.layers).toHaveLength(15)
  const down = outliers.layers.find(({ name }) => name === "model.layers.1.mlp.down_proj")
  expect(table.out).toContain(`Magnitudes of 1.5 and more, over ${outliers.tokens} tokens:`)
  expect(table.out).toMatch(new RegExp(`^model\\.layers\\.1\\.mlp\\.down_proj +${down?.outlier_columns} of 128 `, "m"))
})

it("takes those options only together with --outliers, and a text that is there", async () => {
  const [alone, missing, both, ids] = await Promise.all([
    nibble(["inspect", llama, "--threshold", "3"]),
    nibble(["inspect", llama, "--outliers", "--text", "nowhere.txt", "--json"]),
    nibble(["inspect", llama, "--outliers", "--text", "-", "--tokens", "1,2"]),
    nibble(["inspect", llama, "--outliers", "--tokens", "1,2,3", "--json"]),
  ])
  expect([alone.code, alone.error]).toEqual([2, expect.stringContaining("--outliers")])
  expect(both.code).toBe(2)
  expect(ids.json<{ outliers: OutlierReport }>().outliers.tokens).toBe(3)
  expect(missing.code).toBe(1)
  expect(missing.json()).toMatchObject({ error: { code: "not_found" } })
})

it("computes with the threshold that is asked for, or with exact products", async () => {
  const logits = async (...options: string[]) => {
    const out = join(scratch, `logits${options.join("")}.safetensors`)
    const run = await nibble(["logits", int8, "--tokens", "1,2,3,4,5,6,7,8", "--out", out, "--compute-dtype", "fp32", ...options])
    expect(run.code).toBe(0)
    return readFileSync(out)
  }
  const [usual, six, low, none, exact] = await Promise.all([
    logits(),
    logits("--threshold", "6"),
    logits("--threshold", "1.5"),
    logits("--threshold", "0"),
    logits("--exact"),
  ])
  expect(six?.equals(usual as Buffer)).toBe(true)
  for (const other of [low, exact]) expect(other?.equals(usual as Buffer)).toBe(false)
  expect(none?.equals(low as Buffer)).toBe(false)
  expect((await nibble(["logits", int8, "--tokens", "1", "--out", "x", "--threshold", "-1"])).code).toBe(2)
})
