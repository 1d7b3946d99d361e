// The model that additions are tested with: sharded, tiny, and what the quantizer makes of it when it gets it whole.
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { loadAddon } from "../../../main/engine/addon.ts"
import { quantizeModel } from "../../../main/engine/quantize.ts"
import type { Addition } from "../../../shared/schema/addition.ts"
import { partsOf } from "../engine/rewritten.ts"
import { scratchFolder } from "../scratch.ts"
import { fixtures } from "./fake-engine.ts"

export const sharded = join(fixtures, "llama-tied-sharded")
export const shards = [1, 2, 3].map((number) => `model-0000${number}-of-00003.safetensors`)
export const repository = { name: "org/tiny-llama", folder: sharded }

/** By name, the bytes of every tensor of a folder. */
export async function tensorsIn(folder: string): Promise<Map<string, string>> {
  const files = readdirSync(folder).filter((name) => name.endsWith(".safetensors"))
  const parts = (await Promise.all(files.map((name) => partsOf(join(folder, name))))).flat()
  return new Map(parts.map(({ name, dtype, shape, bytes }) => [name, `${dtype} ${shape} ${bytes.toString("base64")}`]))
}

type TestedFormat = "nf4" | "nf4-dq" | "int8"

const whole = new Map<TestedFormat, Promise<Map<string, string>>>()

/** The tensors of the model quantized the plain way. */
export function quantizedWhole(format: TestedFormat): Promise<Map<string, string>> {
  const made = whole.get(format) ?? quantizeWhole(format)
  whole.set(format, made)
  return made
}

async function quantizeWhole(format: TestedFormat): Promise<Map<string, string>> {
  const out = join(scratchFolder(), "whole")
  const options = { path: sharded, out, format, blockSize: 64 as const, threshold: 6, threads: 1 }
  await quantizeModel(loadAddon(), options, { signal: new AbortController().signal, emit: async () => {} })
  return tensorsIn(out)
}

export const fileStates = ({ files }: Addition) => Object.fromEntries(files.map(({ name, state }) => [name, state]))

/** Of the bytes of weights: how often each file was asked for. */
export const asked = (requests: { server: string; path: string }[]) =>
  shards.map((name) => requests.filter(({ server, path }) => server === "storage" && path.includes(name)).length)
