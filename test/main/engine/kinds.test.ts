// Models of other kinds than Llama, byte for byte as transformers with bitsandbytes writes them: GPT-2 (transposed layers), T5 (encoder and
// decoder), Mixtral (experts), LLaVA (vision and language).
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { temporaryFolder, testEngine, top } from "./fixtures.ts"

const golden = join(top, "test/golden/kinds")
const folder = temporaryFolder()
const engine = testEngine()

const cases = readdirSync(golden).flatMap((kind) =>
  readdirSync(join(golden, kind)).flatMap((format) => (format === "plain" ? [] : [[kind, format as "nf4-dq" | "int8"] as const])),
)

test("there are some", () => expect(cases.length).toBeGreaterThanOrEqual(5))

test.each(cases)("%s in %s", async (kind, format) => {
  const out = join(folder, `${kind}-${format}`)
  await engine.client["quantize.run"]({ path: join(golden, kind, "plain"), out, format, computeDtype: "bfloat16" }, () => {})
  const expected = join(golden, kind, format)
  for (const name of readdirSync(expected).filter((one) => one !== "README.md")) {
    const [ours, theirs] = [out, expected].map((where) => readFileSync(join(where, name)))
    if (name.endsWith(".json")) expect(ours?.toString(), name).toBe(theirs?.toString())
    else expect(ours?.equals(theirs as Buffer), name).toBe(true)
  }
})
