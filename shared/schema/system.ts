// This computer and the engine on it.
import { z } from "zod"

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

/** Once a second while a page looks. Bytes. */
export const MemorySnapshot = z.object({
  totalBytes: z.number(),
  availableBytes: z.number(),
  /** Resident memory of the engine process and of main together. */
  nibbleBytes: z.number(),
  /** Of the loaded model, by owner; null when none is loaded. */
  plan: z.record(z.string(), z.number()).nullable(),
})
export type MemorySnapshot = z.infer<typeof MemorySnapshot>
