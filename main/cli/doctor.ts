// nibble doctor: what this computer has, what the engine makes of it, and whether each backend computes right.
import { cpus, totalmem } from "node:os"
import { dirname } from "node:path"
import type { EngineInfo, GpuMissing } from "../../shared/schema/system.ts"
import { bytes } from "../sizes.ts"
import { defineCommand } from "./command.ts"
import { columns } from "./quantities.ts"
import { type EngineClient, withEngine } from "./with-engine.ts"

interface BackendReport {
  name: string
  available: boolean
  /** Why not; null when available. */
  reason: string | null
  devices: string[]
}

export const doctor = defineCommand({
  name: "doctor",
  summary: "This computer, the engine on it, and a test of each backend",
  positionals: [],
  options: {},
  examples: ["doctor", "doctor --json"],
  notes: ["Ends with exit code 1 when no backend works, or one that should fails its test."],
  async run(_, __, { output, signal }) {
    const [{ dataFolder }, { toErrorData }, { version }, { createGpuProbe }] = await Promise.all([
      import("../storage/paths.ts"),
      import("../../shared/schema/error.ts"),
      import("../version.ts"),
      import("../system/gpu.ts"),
    ])
    const home = dataFolder()
    const device = cpus()[0]?.model.trim() ?? "unknown"
    const engine = await withEngine(async (client) => {
      const info = await client["engine.info"](undefined, signal)
      return { info, backends: await testBackends(client, info, device, signal), error: null }
    }).catch((thrown) => {
      const error = toErrorData(thrown)
      if (error.code === "cancelled") throw thrown
      return { info: null, backends: [], error }
    })
    const { info, error } = engine
    const { missing } = await createGpuProbe().read(info?.backends ?? [])
    const backends = [...engine.backends, ...unavailable(info, missing)]
    const report = {
      cpu: device,
      cores: info?.logicalCores ?? cpus().length,
      cpu_features: info?.features ?? [],
      isa: info?.isa ?? null,
      memory_bytes: info?.totalMemoryBytes ?? totalmem(),
      memory_available_bytes: info?.availableMemoryBytes ?? null,
      data_folder: home,
      disk_free_bytes: await freeNear(home),
      platform: `${process.platform} ${process.arch}`,
      backends,
      formats: info?.formats ?? [],
      engine_error: error,
      versions: { nibble: version, engine: info?.version ?? null, node: process.versions.node },
    }
    output.line(
      columns([
        ["processor", `${report.cpu}, ${report.cores} cores`],
        ["features", report.cpu_features.join(" ") || "none that matter here"],
        ["instruction set", report.isa ?? "unknown"],
        [
          "memory",
          `${bytes(report.memory_bytes)}${report.memory_available_bytes === null ? "" : `, ${bytes(report.memory_available_bytes)} available`}`,
        ],
        ["data folder", `${home}${report.disk_free_bytes === null ? "" : `, ${bytes(report.disk_free_bytes)} free`}`],
        ["system", report.platform],
        ["versions", `nibble ${version}, engine ${info?.version ?? "not loaded"}, node ${process.versions.node}`],
      ]),
    )
    output.line(`\n${columns(backends.map(({ name, available, reason }) => [name, available ? "works" : `no: ${reason}`]))}`)
    const isBroken = error !== null || engine.backends.some(({ available }) => !available)
    if (error) output.warn(`${error.message}${error.hint ? `\n${error.hint}` : ""}`)
    if (isBroken) process.exitCode = 1
    return report
  },
})

async function testBackends(client: EngineClient, info: EngineInfo, device: string, signal: AbortSignal): Promise<BackendReport[]> {
  const reports: BackendReport[] = []
  for (const name of info.backends) {
    const difference = await client["engine.selfTest"]({ backend: name }, signal)
    reports.push({ name, available: difference === null, reason: difference && `its test failed: ${difference}`, devices: [device] })
  }
  return reports
}

/** What this program has for other computers, and why it is not for this one. */
function unavailable(info: EngineInfo | null, missing: GpuMissing[]): BackendReport[] {
  if (!info) return []
  const isArm = process.arch === "arm64"
  const reasons: Record<string, string> = {
    avx512: isArm ? "it is for x86 processors" : "this processor has no AVX-512 (F, BW, VL)",
    avx2: isArm ? "it is for x86 processors" : "this processor has no AVX2 with FMA",
    neon: isArm ? "this build has no NEON kernels" : "it is for ARM processors",
    cuda: missing.map(({ sentence }) => sentence).join(" ") || "this build computes on the processor only",
  }
  const cards = missing.flatMap(({ kind, name }) => (name !== "" && kind !== "other_card" && kind !== "apple" ? [name] : []))
  return Object.entries(reasons)
    .filter(([name]) => !info.backends.includes(name))
    .map(([name, reason]) => ({ name, available: false, reason, devices: name === "cuda" ? cards : [] }))
}

/** Of the disk where the data folder is, or will be. */
async function freeNear(home: string): Promise<number | null> {
  const { freeBytes } = await import("../storage/free-space.ts")
  for (let folder = home; ; folder = dirname(folder)) {
    const free = await freeBytes(folder).catch(() => null)
    if (free !== null || dirname(folder) === folder) return free
  }
}
