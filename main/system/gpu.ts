// Graphics cards: those that are used, with live figures, and why the others are not. What drivers tell live is read by whoever knows the
// driver; until a build has such a part, the lists say which cards there are and what they lack.
import type { GpuMissing, GpuSnapshot } from "../../shared/schema/system.ts"
import { type FoundCard, findCards, nvidiaDriver } from "./cards.ts"
import { gpuMissing } from "./gpu-missing.ts"
import { type RunProgram, runProgram } from "./run-program.ts"

export interface GpuReport {
  gpus: GpuSnapshot[]
  missing: GpuMissing[]
}

export interface GpuProbe {
  /** Called once a second while somebody looks. `backends` are those of the engine's build. */
  read(backends: string[]): Promise<GpuReport>
}

export interface GpuProbeOptions {
  platform?: NodeJS.Platform
  /** The folder that /sys, /proc and /dev are read from. */
  root?: string
  run?: RunProgram
  env?: Record<string, string | undefined>
}

/** Cards and drivers do not come and go: they are looked for once. */
export function createGpuProbe(options: GpuProbeOptions = {}): GpuProbe {
  const system = { platform: process.platform, root: "/", run: runProgram, env: process.env, ...options }
  let found: Promise<{ cards: FoundCard[]; lacks: GpuMissing | null }> | undefined

  async function look(): Promise<{ cards: FoundCard[]; lacks: GpuMissing | null }> {
    const cards = await findCards(system)
    const card = cards.find(({ vendor }) => vendor === "nvidia")
    return { cards, lacks: card ? await nvidiaDriver(card, system) : null }
  }

  return {
    async read(backends) {
      found ??= look()
      const { cards, lacks } = await found
      return { gpus: [], missing: whatIsMissing({ cards, lacks, backends, platform: system.platform }) }
    },
  }
}

interface Finding {
  cards: FoundCard[]
  /** What NVIDIA's driver lacks; null: nothing, or there is no such card. */
  lacks: GpuMissing | null
  backends: string[]
  platform: NodeJS.Platform
}

function whatIsMissing({ cards, lacks, backends, platform }: Finding): GpuMissing[] {
  const [first] = cards
  const nvidia = cards.find(({ vendor }) => vendor === "nvidia")
  if (lacks) return [lacks]
  if (nvidia) return backends.includes("cuda") ? [] : [gpuMissing("no_backend", nvidia.name, nvidia.driver ?? "")]
  if (platform === "darwin") return [gpuMissing("apple", first?.name ?? "", "")]
  return [first ? gpuMissing("other_card", first.name, "") : gpuMissing("no_card", "", "")]
}
