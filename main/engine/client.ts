// Starts and supervises the engine host. A host that dies takes no one with it: its open calls reject with engine_lost and the
// reason, and a new one is started, at once or with the next call.
import { type EngineContract, engine as engineContract } from "../../shared/contract/engine.ts"
import { type Client, connect, type Port } from "../../shared/rpc.ts"
import { AppError } from "../../shared/schema/error.ts"
import type { EngineState } from "../../shared/schema/system.ts"
import { createLogTail, describeExit } from "./exit-reason.ts"

/** A running host, whatever kind of process it is. */
export interface HostProcess {
  port: Port
  pid: number | undefined
  /** Asks it to end; the system's kill where it does not listen. */
  kill(): void
  /** Called once, after its last output. */
  onExit(listener: (code: number | null, signal: string | null) => void): void
  /** Text that it writes to standard error. */
  onLog?(listener: (text: string) => void): void
}

export interface Engine {
  /** Calls go to the host of the moment; where there is none, one is started. */
  readonly client: Client<EngineContract>
  readonly state: EngineState
  readonly pid: number | undefined
  onState(listener: (state: EngineState) => void): () => void
  /** Ends the host and waits for its end. Calls that are open, and later ones, reject. */
  close(): Promise<void>
}

/** So many deaths in so many ms are a loop: from then on a host is started only when a call asks for it. */
const loop = { deaths: 3, withinMs: 30_000 }

const closedGraceMs = 1000

interface Live {
  host: HostProcess
  client: Client<EngineContract>
  ended: Promise<void>
}

export function startEngine(options: { spawn(): HostProcess }): Engine {
  const listeners = new Set<(state: EngineState) => void>()
  let state: EngineState = { state: "starting", reason: null }
  let live: Live | undefined
  let isClosed = false
  let deaths: number[] = []

  function setState(next: EngineState): void {
    state = next
    for (const listener of listeners) listener(next)
  }

  function start(): Live {
    if (isClosed) throw new AppError("engine_lost", "The engine was closed.")
    setState({ state: "starting", reason: null })
    const host = spawn()
    const log = createLogTail()
    host.onLog?.(log.add)
    // connect() asks for these when the port closes, and by then they say why.
    const lost = { code: "engine_lost" as const, message: "The engine ended.", hint: "Load the model again." }
    let closePort = () => {}
    let ending: NodeJS.Timeout | undefined
    // Closed when the process has ended, not when its channel breaks: only then the reason is known.
    const port: Port = {
      post: (message) => host.port.post(message),
      onMessage: (listener) => host.port.onMessage(listener),
      onClose(listener) {
        closePort = listener
      },
    }
    const started = {
      host,
      client: connect(engineContract, port, lost),
      ended: new Promise<void>((resolve) => host.onExit(ended(resolve))),
    }
    // A process whose channel is closed is ending, and how it ends should be seen; one that does not end is ended.
    host.port.onClose(() => {
      ending = setTimeout(() => host.kill(), closedGraceMs)
    })
    live = started
    void greet(started)
    return started

    function ended(resolve: () => void) {
      return (code: number | null, signal: string | null) => {
        lost.message = isClosed ? "The engine was closed." : describeExit(code, signal, log.lines())
        clearTimeout(ending)
        if (live === started) live = undefined
        if (!isClosed) setState({ state: "lost", reason: lost.message })
        closePort()
        resolve()
        if (!isClosed) restart()
      }
    }
  }

  function spawn(): HostProcess {
    try {
      return options.spawn()
    } catch (error) {
      const reason = `The engine could not be started: ${error instanceof Error ? error.message : String(error)}`
      setState({ state: "lost", reason })
      throw new AppError("engine_lost", reason)
    }
  }

  async function greet(started: Live): Promise<void> {
    try {
      await started.client["engine.info"](undefined)
      if (live === started) setState({ state: "ready", reason: null })
    } catch (error) {
      // The process lives but its engine cannot be loaded; when the process ended, its end has told so already.
      if (live === started) setState({ state: "lost", reason: (error as Error).message })
    }
  }

  function restart(): void {
    const now = Date.now()
    deaths = [...deaths.filter((at) => now - at < loop.withinMs), now]
    if (deaths.length < loop.deaths && !live) start()
  }

  const client: Record<string, unknown> = {}
  for (const name of Object.keys(engineContract) as (keyof EngineContract)[]) {
    client[name] = async (...call: unknown[]) => ((live ?? start()).client[name] as (...call: unknown[]) => Promise<unknown>)(...call)
  }

  return {
    client: client as Client<EngineContract>,
    get state() {
      return state
    },
    get pid() {
      return live?.host.pid
    },
    onState(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close() {
      isClosed = true
      live?.host.kill()
      await live?.ended
    },
  }
}
