// This computer and the engine on it.
import { z } from "zod"
import { MemoryPlan } from "./model.ts"

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

/** One for all screens, once a second while a page looks. Bytes. */
export const MemorySnapshot = z.object({
  at: z.number(),
  totalBytes: z.number(),
  availableBytes: z.number(),
  /** Resident memory of all processes of Nibble together. */
  nibbleBytes: z.number(),
  /** Of the loaded model, by owner; null when none is loaded. */
  plan: MemoryPlan.nullable(),
  /** Resident memory of the engine's process, and what of it the loaded model's plan accounts for. */
  engineBytes: z.number(),
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
  /** Why there is no (other) GPU to use, as whole sentences: which driver or library is missing. */
  missing: z.array(z.string()),
})
export type MemorySnapshot = z.infer<typeof MemorySnapshot>
