// What the engine tests share: a real host process on the tiny models.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { type Engine, startEngine } from "../../../main/engine/client.ts"
import { forkHost } from "../../../main/engine/fork.ts"
import { safetensorsHeader } from "../../../main/models/safetensors.ts"

export const top = join(import.meta.dirname, "../../..")
export const models = join(top, "test/fixtures/models")

// The hosts that are started check what they answer against the contract.
process.env.NIBBLE_CHECKED = "1"

/** Ended after the tests of the file. */
export function testEngine(spawn = forkHost): Engine {
  const engine = startEngine({ spawn })
  afterAll(() => engine.close())
  return engine
}

/** A folder of this test file's own, removed at its end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "nibble-engine-"))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A folder that this user may not write to. The administrator may write everywhere but into the system's own views. */
export function closedFolder(parent: string): string {
  if (process.getuid?.() === 0) return "/sys/kernel"
  const folder = join(parent, "closed")
  mkdirSync(folder, { mode: 0o500 })
  return folder
}

/** Everything in a folder, hidden files too, sorted. */
export function listing(folder: string): string[] {
  return readdirSync(folder).sort()
}

/** A fixture model with another config.json. */
export function changedModel(name: string, folder: string, change: Record<string, unknown>): string {
  const copy = join(folder, `${name}-changed-${readdirSync(folder).length}`)
  cpSync(join(models, name), copy, { recursive: true })
  const path = join(copy, "config.json")
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...change }))
  return copy
}

/** A Llama of another size, whose weights are zeros that take no room on the disk. */
export function madeModel(folder: string, sizes: Record<string, number>): string {
  const path = changedModel("llama", folder, sizes)
  const config = JSON.parse(readFileSync(join(path, "config.json"), "utf8"))
  const {
    hidden_size: width,
    intermediate_size: ffn,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: head,
    vocab_size: vocab,
  } = config
  const shapes: Record<string, number[]> = {
    "lm_head.weight": [vocab, width],
    "model.embed_tokens.weight": [vocab, width],
    "model.norm.weight": [width],
  }
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `model.layers.${i}`
    for (const [name, rows] of [
      ["q", heads * head],
      ["k", kvHeads * head],
      ["v", kvHeads * head],
    ] as const)
      shapes[`${layer}.self_attn.${name}_proj.weight`] = [rows, width]
    shapes[`${layer}.self_attn.o_proj.weight`] = [width, heads * head]
    for (const name of ["gate", "up"]) shapes[`${layer}.mlp.${name}_proj.weight`] = [ffn, width]
    shapes[`${layer}.mlp.down_proj.weight`] = [width, ffn]
    for (const name of ["input", "post_attention"]) shapes[`${layer}.${name}_layernorm.weight`] = [width]
  }
  const tensors = Object.entries(shapes).map(([name, shape]) => ({ name, dtype: "BF16", shape, bytes: shape.reduce((a, b) => a * b, 2) }))
  const { header } = safetensorsHeader(tensors, { format: "pt" })
  const file = join(path, "model.safetensors")
  writeFileSync(file, header)
  truncateSync(file, header.length + tensors.reduce((sum, { bytes }) => sum + bytes, 0))
  return path
}

interface Golden {
  tokens: number[]
  greedy: Record<string, number[]>
}

export function golden(name: string): Golden {
  return JSON.parse(readFileSync(join(top, `test/golden/models/${name}.json`), "utf8"))
}

export const greedy = { temperature: 0 }
