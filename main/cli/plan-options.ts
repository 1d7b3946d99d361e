// What `nibble plan` can be told, and the request that it makes.
import { statSync } from "node:fs"
import { ComputeType, Format, QuantizedFormat } from "../../shared/schema/format.ts"
import { PlanOptimizer, PlanRequest } from "../../shared/schema/plan.ts"
import { blockSizes } from "./load-options.ts"
import { nearest } from "./nearest.ts"
import type { OptionList, Values } from "./options.ts"
import { UsageError } from "./usage-error.ts"

/** As Hugging Face's Trainer calls them. */
const trainerNames: Record<string, PlanOptimizer> = {
  adamw_torch: "adamw",
  adamw_bnb_8bit: "adamw8bit",
  adamw_8bit: "adamw8bit",
  paged_adamw_32bit: "paged-adamw",
  paged_adamw_8bit: "paged-adamw8bit",
  lion_32bit: "lion",
  lion_8bit: "lion8bit",
}

export const planOptions = {
  format: { type: "texts", value: "F[,F]", help: `Only these formats: ${Format.options.join(" ")} (default: all that the model can have)` },
  mode: { type: "choice", value: "MODE", choices: ["chat", "train"], help: "What the memory is for (default chat)" },
  context: { type: "integer", value: "N", min: 1, max: 2 ** 24, help: "Tokens of a chat (default: the model's own, at most 8192)" },
  kv: { type: "choice", value: "TYPE", choices: ["fp16", "int8"], help: "Of keys and values; this engine keeps them in fp16" },
  computer: { type: "text", value: "NAME", help: "Plan for another computer: rtx-3060-12, laptop-16 … (a wrong name lists them)" },
  "max-memory": { type: "text", value: "LIST", help: "Use at most so much of a device: gpu0=8GiB,cpu=30GiB" },
  disk: {
    type: "text",
    value: "DIR",
    help: "Layers that fit nowhere else would lie on the disk of this folder (default: the data folder)",
  },
  benchmark: { type: "flag", help: "Measure first how fast this computer is (about ten seconds); it is kept" },
  variant: { type: "text", value: "FILE", help: "Of a hub repository with several GGUF files" },
  embeddings: { type: "choice", value: "FORMAT", choices: QuantizedFormat.options, help: "Of token embedding and head (default: 16 bits)" },
  experts: { type: "choice", value: "FORMAT", choices: QuantizedFormat.options, help: "Of the experts of a mixture (default: 16 bits)" },
  "block-size": { type: "choice", value: "N", choices: blockSizes, help: "Weights that share one scale (4-bit formats; default 64)" },
  "skip-modules": { type: "words", value: "A,B", help: "As in quantize" },
  "compute-dtype": { type: "choice", value: "TYPE", choices: ComputeType.options, help: "What products are computed in" },
  threads: { type: "integer", value: "N", min: 1, max: 256, help: "Threads to plan for (default: one per core)" },
  batch: { type: "integer", value: "N", min: 1, max: 1024, help: "Training: sequences at a time (default 1)" },
  "sequence-length": { type: "integer", value: "N", min: 1, max: 2 ** 20, help: "Training: tokens of one sequence (default 1024)" },
  rank: { type: "integer", value: "N", min: 1, max: 1024, help: "Training: rank of LoRA (default 16)" },
  targets: { type: "words", value: "A,B", help: "Training: modules that get an adapter (default all-linear)" },
  optimizer: {
    type: "text",
    value: "NAME",
    help: `Training: ${PlanOptimizer.options.join(" ")}, or as the Trainer names them (default adamw8bit)`,
  },
  "gradient-checkpointing": { type: "choice", value: "ON", choices: ["on", "off"], help: "Training: default on" },
} as const satisfies OptionList

export type PlanValues = Values<typeof planOptions>

export function planRequest(path: string, values: PlanValues): PlanRequest {
  const optional = <T>(name: string, value: T | undefined) => (value === undefined ? {} : { [name]: value })
  const { targets } = values
  return PlanRequest.parse({
    path,
    ...{ maxMemory: memoryLimits(values["max-memory"]) },
    ...optional("formats", wantedFormats(values.format)),
    ...optional("mode", values.mode),
    ...optional("context", values.context),
    ...optional("computer", values.computer),
    ...optional("embeddings", values.embeddings),
    ...optional("experts", values.experts),
    ...optional("blockSize", values["block-size"] === undefined ? undefined : Number(values["block-size"])),
    ...optional("skipModules", values["skip-modules"]),
    ...optional("compute", values["compute-dtype"]),
    ...optional("threads", values.threads),
    train: {
      ...optional("batchSize", values.batch),
      ...optional("sequenceLength", values["sequence-length"]),
      ...optional("rank", values.rank),
      ...optional("targets", targets?.length === 1 && targets[0] === "all-linear" ? "all-linear" : targets),
      ...optional("optimizer", wantedOptimizer(values.optimizer)),
      ...optional("gradientCheckpointing", values["gradient-checkpointing"] && values["gradient-checkpointing"] === "on"),
    },
  })
}

/** Throws for what makes no sense before anything is looked at. */
export function requirePlannable(values: PlanValues): void {
  const { context, mode, disk, targets } = values
  const [training] = (["batch", "sequence-length", "rank", "targets", "optimizer", "gradient-checkpointing"] as const).filter(
    (name) => values[name] !== undefined,
  )
  if (mode === "train" && context !== undefined) throw new UsageError("--context is of a chat.", "Use --sequence-length with --mode train.")
  if (mode !== "train" && training) throw new UsageError(`--${training} goes with --mode train.`)
  if (targets?.length === 0) throw new UsageError("--targets names no module.")
  if (disk !== undefined && !statSync(disk, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`--disk ${disk} is no folder.`, "Name a folder on the disk that counts.")
  wantedFormats(values.format)
  wantedOptimizer(values.optimizer)
  memoryLimits(values["max-memory"])
}

function wantedOptimizer(name: string | undefined): PlanOptimizer | undefined {
  if (name === undefined) return undefined
  const optimizer = trainerNames[name] ?? PlanOptimizer.safeParse(name).data
  if (optimizer) return optimizer
  const known = [...PlanOptimizer.options, ...Object.keys(trainerNames)]
  const guess = nearest(name, known)
  throw new UsageError(`--optimizer cannot be "${name}".`, guess ? `Did you mean ${guess}?` : `There are: ${known.join(", ")}.`)
}

function wantedFormats(lists: string[]): Format[] | undefined {
  const names = lists.flatMap((list) => list.split(",")).map((name) => name.trim())
  if (names.length === 0) return undefined
  return [...new Set(names)].map((name) => {
    const format = Format.safeParse(name).data
    if (format) return format
    const guess = nearest(name, Format.options)
    throw new UsageError(`--format cannot be "${name}".`, guess ? `Did you mean ${guess}?` : `There are: ${Format.options.join(", ")}.`)
  })
}

const units: Record<string, number> = {
  b: 1,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
}

/** "gpu0=8GiB,cpu=30GB" as bytes by device. Binary units and decimal ones are told apart, as Accelerate does. */
export function memoryLimits(list: string | undefined): Record<string, number> {
  if (list === undefined) return {}
  const limits: Record<string, number> = {}
  for (const entry of list.split(",")) {
    const [, device, amount, unit = "b"] = /^\s*(gpu\d+|\d+|cpu|disk)\s*=\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)?\s*$/.exec(entry) ?? []
    const factor = units[unit.toLowerCase()]
    if (device === undefined || amount === undefined || factor === undefined)
      throw new UsageError(`--max-memory cannot read "${entry.trim()}".`, "Write it as gpu0=8GiB,cpu=30GiB.")
    if (Object.hasOwn(limits, device)) throw new UsageError(`--max-memory names ${device} twice.`)
    limits[device] = Math.floor(Number(amount) * factor)
  }
  return limits
}
