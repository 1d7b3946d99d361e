// An engine that answers the real contract without native code: it loads anything, says what it is told to, and "quantizes" by copying
// a tiny model that was quantized before. Calls can be held, so that a test decides when they go on.
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { z } from "zod"
import type { HostProcess } from "../../../main/engine/client.ts"
import type { ModelMemory } from "../../../shared/contract/engine.ts"
import { type EngineContract, engine } from "../../../shared/contract/engine.ts"
import { type Handlers, serve } from "../../../shared/rpc.ts"
import type { ChatTurn } from "../../../shared/schema/chat.ts"
import { AppError } from "../../../shared/schema/error.ts"
import { MemoryParts, memoryOwners } from "../../../shared/schema/plan.ts"
import type { QualityReport } from "../../../shared/schema/quality.ts"
import { portPair } from "../port-pair.ts"
import { fakePlan, fakeSpeed } from "./fake-plan.ts"

export const fixtures = fileURLToPath(new URL("../../fixtures/models/", import.meta.url))

type CallName = keyof EngineContract
type ArrivingEvent = z.output<EngineContract["quantize.run"]["event"]>

const partsOf = (bytes: number) => MemoryParts.parse(Object.fromEntries(memoryOwners.map((owner) => [owner, bytes])))

export class FakeEngine {
  readonly calls: { name: string; input: unknown }[] = []
  /** Pieces of the next replies. */
  words = ["Paris", " is", " the", " capital."]
  /** What measuring quality finds; null: the engine cannot. */
  quality: QualityReport | null = null
  /** Thrown by the next call of this name. */
  readonly failures = new Map<CallName, AppError>()
  /** Called with the folder that quantizing has made. */
  afterQuantize = (_out: string) => {}
  hosts = 0
  private readonly gates = new Map<CallName, Promise<void>>()
  private die = (_code: number | null, _signal: string | null) => {}

  /** Calls of this name wait until the returned function is called; those that are cancelled end. */
  hold(name: CallName): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.gates.set(name, promise)
    return () => {
      this.gates.delete(name)
      resolve()
    }
  }

  /** Ends the process as the system does when memory is short. */
  kill(): void {
    this.die(null, "SIGKILL")
  }

  called(name: CallName): unknown[] {
    return this.calls.filter((call) => call.name === name).map((call) => call.input)
  }

  readonly startHost = (): HostProcess => {
    const [ours, theirs] = portPair()
    this.hosts++
    let exit = (_code: number | null, _signal: string | null) => {}
    let isOver = false
    const die = (code: number | null, signal: string | null) => {
      if (isOver) return
      isOver = true
      ours.close()
      exit(code, signal)
    }
    this.die = die
    serve(engine, this.handlers(), theirs, { isChecked: true })
    const onExit = (listener: typeof exit) => {
      exit = listener
    }
    return { port: ours, pid: 4242, kill: () => die(0, null), onExit }
  }

  /** What "model.memory" says. */
  memory: ModelMemory = {
    ...{ tokens: 0, predicted: partsOf(10), inUse: partsOf(9) },
    ...{ predictedBytes: 110, peakBytes: 100, residentBytes: 90 },
  }

  private async passed(name: CallName, input: unknown, signal: AbortSignal): Promise<void> {
    this.calls.push({ name, input })
    const failure = this.failures.get(name)
    this.failures.delete(name)
    if (failure) throw failure
    const cancelled = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()))
    await Promise.race([this.gates.get(name), cancelled])
  }

  private readonly announced: { folder: string; name: string }[] = []
  private readonly waiting = new Set<() => void>()

  /** Has each file for done as soon as it is announced. Where there are no headers of files to come, everything is here. */
  private async readArriving(path: string, signal: AbortSignal, emit: (event: ArrivingEvent) => Promise<void>): Promise<void> {
    if (!existsSync(join(path, ".nibble-headers.json"))) return
    const names = readdirSync(path).filter((name) => /\.safetensors$/.test(name))
    for (;;) {
      const filesDone = this.announced.filter(({ folder }) => folder === path).map(({ name }) => name)
      await emit({ parametersDone: 500, parametersTotal: 1000, bytesWritten: 250, tensor: "", filesDone })
      if (signal.aborted || filesDone.length >= names.length) return
      await new Promise<void>((resolve) => {
        this.waiting.add(resolve)
        signal.addEventListener("abort", () => resolve())
      })
    }
  }

  private handlers(): Handlers<EngineContract> {
    const plan = { weights: 50, scales: 5, unquantized: 20, kv: 10, activations: 5, logits: 5, scratch: 5, mapped: 75, total: 100 }
    const notHere = () => Promise.reject(new AppError("unsupported", "not in the fake engine"))
    return {
      "engine.info": async (_, { signal }) => {
        await this.passed("engine.info", undefined, signal)
        const memory = { totalMemoryBytes: 8e9, availableMemoryBytes: 4e9, residentBytes: 1e8, peakResidentBytes: 2e8 }
        return { version: "0", isa: "fake", features: ["fake1"], backends: ["cpu"], formats: ["nf4"], logicalCores: 2, ...memory }
      },
      "engine.selfTest": () => null,
      "engine.bandwidth": notHere,
      "model.plan": () => plan,
      "model.load": async (options, { signal, emit }) => {
        await emit({ fraction: 0.5 })
        await this.passed("model.load", options, signal)
        if (signal.aborted) throw new AppError("cancelled", "cancelled")
        const { path, id, context, threads } = options
        const about = { architecture: "LlamaForCausalLM", format: "nf4", compute: "fp32" as const, hasChatTemplate: true }
        const size = { context: context || 8192, contextLimit: 8192, threads: threads || 2, isa: "fake", loadMs: 1 }
        return { id, name: basename(path), path, ...about, ...size, plan }
      },
      "model.unload": () => ({ freedBytes: 100 }),
      "model.generate": async (options, { signal, emit }) => {
        let text = ""
        const made: number[] = []
        for (const word of this.words) {
          await emit({ text: word, tokens: 1 })
          text += word
          made.push(made.length)
        }
        await this.passed("model.generate", options, signal)
        const speed = { prefillTokensPerS: 100, decodeTokensPerS: 50, timeToFirstTokenMs: 20 }
        const stopReason = signal.aborted ? "cancelled" : "end"
        return { text, tokens: made, stopReason, promptTokens: 7, cachedTokens: 2, ...speed, seed: 5, droppedMessages: 0 }
      },
      "model.count": ({ prompt }) => ({ tokens: prompt.kind === "chat" ? countTurns(prompt.turns) : 0, limit: 8192 }),
      "model.tokenize": notHere,
      "model.logits": notHere,
      "model.outliers": async ({ threshold }, { signal }) => {
        await this.passed("model.outliers", { threshold }, signal)
        return { threshold, tokens: 3, layers: [] }
      },
      "model.bench": notHere,
      "plan.rows": async (request, { signal }) => {
        await this.passed("plan.rows", request, signal)
        return fakePlan(request)
      },
      "engine.speed": async (options, { signal, emit }) => {
        await emit({ fraction: 0.5 })
        await this.passed("engine.speed", options, signal)
        if (signal.aborted) throw new AppError("cancelled", "cancelled")
        return { ...fakeSpeed, threads: options.threads || 2 }
      },
      "model.memory": async (_, { signal }) => {
        await this.passed("model.memory", undefined, signal)
        return this.memory
      },
      "quality.run": async (options, { signal }) => {
        await this.passed("quality.run", options, signal)
        return this.quality ?? notHere()
      },
      "files.arrived": async (file, { signal }) => {
        await this.passed("files.arrived", file, signal)
        this.announced.push(file)
        for (const wake of this.waiting) wake()
      },
      "quantize.run": async (options, { signal, emit }) => {
        const { path, out, format } = options
        if (!existsSync(path)) throw new AppError("not_found", `There is no ${path}.`)
        if (options.isArriving) this.calls.push({ name: "quantize.run", input: options })
        if (options.isArriving) await this.readArriving(path, signal, emit)
        await emit({ parametersDone: 500, parametersTotal: 1000, bytesWritten: 250, tensor: "model.layers.0.mlp.up_proj.weight" })
        cpSync(`${fixtures}llama-nf4-dq`, out, { recursive: true })
        this.afterQuantize(out)
        if (!options.isArriving) await this.passed("quantize.run", options, signal)
        if (signal.aborted) {
          rmSync(out, { recursive: true })
          throw new AppError("cancelled", "cancelled")
        }
        await emit({ parametersDone: 1000, parametersTotal: 1000, bytesWritten: 500, tensor: "lm_head.weight" })
        const counts = {
          tensors_quantized: 14,
          tensors_kept: 7,
          kept: [{ reason: "a vector", tensors: ["model.norm.weight"] }],
          bytes_in: 2000,
          bytes_out: 500,
        }
        return { out, format, ...counts, seconds: 1, parameters_per_second: 1000, peak_rss_bytes: 1e8 }
      },
    }
  }
}

/** As a template with a fixed cost per turn and for the generation prompt. */
function countTurns(turns: ChatTurn[]): number {
  return turns.reduce((sum, { content }) => sum + 2 + content.split(" ").length, 1)
}
