// Why a graphics card is not used, in whole sentences: what is missing and what to do about it.
import type { GpuMissing } from "../../shared/schema/system.ts"

export function gpuMissing(kind: GpuMissing["kind"], name: string, detail: string): GpuMissing {
  return { kind, name, detail, sentence: sentences[kind](name, detail) }
}

const sentences: Record<GpuMissing["kind"], (name: string, detail: string) => string> = {
  no_card: () => "No NVIDIA graphics card was found, so models run on the processor.",
  other_card: (name) => `The graphics card here (${name}) is not from NVIDIA, so models run on the processor.`,
  no_driver: (name, detail) =>
    `An NVIDIA card (${name}) is there, but its driver is not: ${detail} was not found. Install NVIDIA's driver and restart the computer.`,
  wrong_driver: (name, detail) =>
    `An NVIDIA card (${name}) is there, but it runs on the driver ${detail}, which cannot compute. Install NVIDIA's own driver and restart the computer.`,
  no_library: (name, detail) =>
    `An NVIDIA card (${name}) and its driver are there, but the library ${detail} was not found. Install the part of NVIDIA's driver that has it, mostly called libcuda1 or libnvidia-compute.`,
  no_device_file: (name, detail) =>
    `An NVIDIA card (${name}) and its driver are there, but ${detail} is not. A container must be started with access to the card (--gpus all).`,
  no_backend: (name, detail) =>
    `An NVIDIA card (${name}) and its driver${detail && ` ${detail}`} are there, but this build of Nibble computes on the processor only.`,
  apple: (name) => `The graphics of this Mac${name && ` (${name})`} are not used: this build of Nibble computes on the processor only.`,
}
