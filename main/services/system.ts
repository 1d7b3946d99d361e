// This computer and this program: the page's snapshot, and the text for a bug report.
import { cpus, freemem, homedir, release, totalmem } from "node:os"
import type { AppContract, LoadState, Snapshot, StarterOffer } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import type { Addition } from "../../shared/schema/addition.ts"
import { toErrorData } from "../../shared/schema/error.ts"
import type { HubAccount } from "../../shared/schema/hub.ts"
import type { Prediction, SpeedProfile } from "../../shared/schema/plan.ts"
import type { EngineInfo, SystemInfo } from "../../shared/schema/system.ts"
import type { Engine } from "../engine/client.ts"
import { askEngine } from "../engine/info.ts"
import { freeBytes } from "../storage/free-space.ts"
import type { DataPaths } from "../storage/paths.ts"
import type { Chats } from "./chats.ts"
import type { Jobs } from "./jobs.ts"
import type { Registry } from "./registry.ts"
import type { SettingsService } from "./settings.ts"

export interface SystemService {
  handlers: Pick<Handlers<AppContract>, "app.snapshot" | "app.diagnostics">
}

export interface SystemServiceOptions {
  version: string
  face: SystemInfo["face"]
  paths: DataPaths
  engine: Pick<Engine, "client" | "state">
  registry: Registry
  jobs: Jobs
  chats: Chats
  settings: SettingsService
  loadState(): LoadState
  starterOffer(): StarterOffer
  additions(): Addition[]
  hubAccount(): HubAccount
  speed(): SpeedProfile | null
  predictions(): Prediction[]
  /** What was to be said since the start. */
  warnings(): string[]
  /** How long a page waits for an engine that does not answer. */
  engine_ms?: number
}

export function createSystem(options: SystemServiceOptions): SystemService {
  const { version, face, paths, engine, registry, jobs, chats, settings, loadState, starterOffer, warnings, engine_ms = 3000 } = options
  let known: EngineInfo | null = null

  /** Null while the engine does not answer. */
  async function engineInfo(): Promise<EngineInfo | null> {
    const answer = await askEngine(engine, engine_ms)
    known = answer ?? known
    return answer
  }

  async function systemInfo(): Promise<SystemInfo> {
    const info = known ?? (await engineInfo())
    return {
      version,
      platform: `${process.platform} ${process.arch}`,
      face,
      dataFolder: paths.home,
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      cores: info?.logicalCores ?? cpus().length,
      memoryBytes: info?.totalMemoryBytes ?? totalmem(),
      diskFreeBytes: await freeBytes(paths.home).catch(() => 0),
      isa: info?.isa ?? "",
    }
  }

  async function snapshot(): Promise<Snapshot> {
    const system = await systemInfo()
    return {
      system,
      engine: engine.state,
      load: loadState(),
      models: registry.list(),
      jobs: jobs.list(),
      chats: chats.list(),
      settings: settings.get(),
      starter: starterOffer(),
      additions: options.additions(),
      hub: options.hubAccount(),
      speed: options.speed(),
      predictions: options.predictions(),
    }
  }

  async function selfTest(backend: string): Promise<string> {
    try {
      return (await engine.client["engine.selfTest"]({ backend })) ?? "passed"
    } catch (thrown) {
      return toErrorData(thrown).message
    }
  }

  async function diagnostics(): Promise<string> {
    const [system, info] = [await systemInfo(), await engineInfo()]
    const gigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`
    const load = loadState()
    const lines = [
      `Nibble ${version} (${face}), Node ${process.versions.node}${process.versions.electron ? `, Electron ${process.versions.electron}` : ""}`,
      `System: ${system.platform}, ${release()}`,
      `Processor: ${system.cpu}, ${system.cores} cores`,
      `Memory: ${gigabytes(system.memoryBytes)}, ${gigabytes(info?.availableMemoryBytes ?? freemem())} available`,
      `Disk: ${gigabytes(system.diskFreeBytes)} free`,
      `Engine: ${engine.state.state}${engine.state.reason ? ` (${engine.state.reason})` : ""}`,
    ]
    if (info) {
      lines.push(`Engine version ${info.version}, instruction set ${info.isa}, features ${info.features.join(" ") || "none"}`)
      for (const backend of info.backends) lines.push(`Self test of ${backend}: ${await selfTest(backend)}`)
    }
    lines.push(
      `Loaded: ${load.state === "ready" ? `${load.model.architecture}, ${load.model.format}, context ${load.model.context}` : load.state}`,
    )
    for (const { architecture, format, parameters, supported } of registry.list())
      lines.push(`Model: ${architecture}, ${format}, ${Math.round(parameters / 1e6)} M parameters${supported ? "" : " (cannot be loaded)"}`)
    // Its sentence names files of the user; the code says enough.
    for (const job of jobs.list()) if (job.error) lines.push(`Job ${job.kind}: ${job.error.code}`)
    for (const warning of warnings()) lines.push(`Warning: ${warning}`)
    return `${withoutPaths(lines.join("\n"), [
      [paths.home, "<data folder>"],
      [homedir(), "<home>"],
    ])}\n`
  }

  return { handlers: { "app.snapshot": snapshot, "app.diagnostics": diagnostics } }
}

/** Paths of the user may say who they are, so they do not go into a text for others. */
export function withoutPaths(text: string, known: [string, string][]): string {
  let out = text
  for (const [part, name] of known) if (part.length > 2) out = out.replaceAll(part, name)
  // What is left of absolute paths: their last part stays, since it names the file.
  return out.replace(/(^|[\s"'(:])(?:[A-Za-z]:[\\/]|\/)(?:[^\s"'()/\\]+[\\/])+([^\s"'()/\\]*)/gm, "$1…/$2")
}
