// This computer and the engine on it.
import { z } from "zod"
import { MemoryPlan } from "./model.ts"
import { MemoryParts } from "./plan.ts"

export const EngineInfo = z.object({
  version: z.string(),
  isa: z.string(),
  features: z.array(z.string()),
  backends: z.array(z.string()),
  formats: z.array(z.string()),
  logicalCores: z.int(),
  totalMemoryBytes: z.number(),
  availableMemoryBytes: z.number(),
  residentBytes: z.number(),
  peakResidentBytes: z.number(),
})
export type EngineInfo = z.infer<typeof EngineInfo>

export const EngineState = z.object({
  state: z.enum(["starting", "ready", "lost"]),
  /** After "lost": what ended it, as a sentence. */
  reason: z.string().nullable(),
})
export type EngineState = z.infer<typeof EngineState>

export const SystemInfo = z.object({
  version: z.string(),
  platform: z.string(),
  face: z.enum(["electron", "served", "cli"]),
  dataFolder: z.string(),
  cpu: z.string(),
  cores: z.int(),
  memoryBytes: z.number(),
  diskFreeBytes: z.number(),
  isa: z.string(),
})
export type SystemInfo = z.infer<typeof SystemInfo>

/** A graphics card as its driver shows it. Empty lists and nulls where the driver does not tell. */
export const GpuSnapshot = z.object({
  index: z.int(),
  name: z.string(),
  totalBytes: z.number(),
  nibbleBytes: z.number(),
  others: z.array(z.object({ name: z.string(), bytes: z.number() })),
  freeBytes: z.number(),
  /** 0 .. 1 */
  busy: z.number().nullable(),
  celsius: z.number().nullable(),
  watts: z.number().nullable(),
})
export type GpuSnapshot = z.infer<typeof GpuSnapshot>

/** Why a graphics card is not used, or is not there. */
export const GpuMissing = z.object({
  kind: z.enum(["no_card", "other_card", "no_driver", "wrong_driver", "no_library", "no_device_file", "no_backend", "apple"]),
  /** Of the card; empty with "no_card". */
  name: z.string(),
  /** What the kind is about: the driver's name or version, the library, or the device file. */
  detail: z.string(),
  /** The whole sentence, in English; the page has its own. */
  sentence: z.string(),
})
export type GpuMissing = z.infer<typeof GpuMissing>

/** One for all screens, once a second while a page looks. Bytes. */
export const MemorySnapshot = z.object({
  at: z.number(),
  totalBytes: z.number(),
  availableBytes: z.number(),
  /** Resident memory of all processes of Nibble together. */
  nibbleBytes: z.number(),
  /** Of the loaded model, by owner; null when none is loaded. */
  plan: MemoryPlan.nullable(),
  /** Resident memory of the engine's process. */
  engineBytes: z.number(),
  /** Of that, with a model: by owner, as predicted for as many tokens as the cache has held; null while the engine does not tell. */
  inUse: MemoryParts.nullable(),
  /** Of that: the model's files as far as they were read, which the system counts as available; null where it does not tell. */
  mappedBytes: z.number().nullable(),
  /** Of the main process: services, downloads, the page's server. */
  programBytes: z.number(),
  /** Of the window's processes; null where the page is shown by a browser. */
  windowBytes: z.number().nullable(),
  /** The largest other programs by name, instances summed; what the system does not tell is missing. */
  others: z.array(z.object({ name: z.string(), bytes: z.number() })),
  /** Kept free for the system: a plan that takes more is called tight. */
  reserveBytes: z.number(),
  disk: z.object({ totalBytes: z.number(), freeBytes: z.number(), modelsBytes: z.number(), offloadBytes: z.number() }),
  /** Share of all cores that were busy since the last snapshot, 0 .. 1. */
  cpuBusy: z.number(),
  gpus: z.array(GpuSnapshot),
  /** Why there is no (other) GPU to use: which driver or library is missing. */
  missing: z.array(GpuMissing),
})
export type MemorySnapshot = z.infer<typeof MemorySnapshot>
