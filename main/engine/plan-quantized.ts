// What the quantizer would write, read as if it were there: the same lists, the same readers, no file.
import type { z } from "zod"
import type { QuantizeOptions } from "../../shared/contract/engine.ts"
import { joinQuantized, type TensorReader } from "../models/bitsandbytes.ts"
import { describeModel, type ModelDescription } from "../models/describe.ts"
import type { QuantizeSource } from "../models/quantize-source.ts"
import { type AssignedTensor, assignRoles } from "../models/roles.ts"
import { type PlannedTensor, plainDtypes, splitIntoShards } from "./checkpoint-layout.ts"
import { companionBytes, configText } from "./companion-files.ts"
import { plannedCheckpoint } from "./plan-checkpoint.ts"
import { quantState } from "./quant-state.ts"
import { maxShardBytes } from "./quantize.ts"
import { planQuantization } from "./quantize-plan.ts"
import { quantizedConfig } from "./quantized-config.ts"

export interface QuantizedModel {
  description: ModelDescription
  assigned: AssignedTensor[]
  files: string[]
  diskBytes: number
  tensorsQuantized: number
}

/** Throws as the quantizer does. */
export async function planQuantizedModel(
  source: QuantizeSource,
  options: z.output<typeof QuantizeOptions>,
  version: string,
): Promise<QuantizedModel> {
  const { tensors } = planQuantization(source, options)
  const shards = splitIntoShards(tensors, maxShardBytes).map((shard) => shard.flatMap(({ entries }) => entries))
  const checkpoint = plannedCheckpoint(source.path, shards)
  const joined = await joinQuantized(checkpoint.tensors, checkpoint.files, constantsOf(tensors, source))
  const config = JSON.parse(quantizedConfig(await configText(source), source, options)) as Record<string, unknown>
  const description = describeModel(config, source.path, new Set(joined.map(({ name }) => name)))
  return {
    description,
    assigned: assignRoles(description, joined, source.path),
    files: checkpoint.files,
    diskBytes: checkpoint.fileBytes + (await companionBytes(source, options, version)),
    tensorsQuantized: tensors.filter(({ action }) => action.kind === "quantize").length,
  }
}

/** The small tensors that readers look into. The number in a nested quant_state is known only when it is computed; memory does not depend on it. */
function constantsOf(tensors: PlannedTensor[], { dtype }: QuantizeSource): TensorReader {
  const constants = new Map<string, Buffer>()
  for (const { source, action, shape } of tensors) {
    if (action.kind !== "quantize") continue
    const { spec } = action
    if (spec.format === "int8") constants.set(`${source.name}_format`, Buffer.from([0]))
    else {
      const text = quantState({ spec, dtype: plainDtypes[dtype].torch, shape }, spec.isNested ? "0.0" : null)
      constants.set(`${source.name}.quant_state.bitsandbytes__${spec.format}`, Buffer.from(text))
    }
  }
  return async ({ name }) => constants.get(name) ?? Buffer.alloc(0)
}
