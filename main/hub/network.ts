// What all requests and transfers of one app share: the way they take, the speed they may have, the connections they may hold.
import type { Dispatcher } from "undici"
import type { Settings } from "../../shared/schema/settings.ts"
import { type Connections, createConnections } from "./connections.ts"
import { createSpeedLimit, type SpeedLimit } from "./limit.ts"
import { dispatcherFor } from "./proxy.ts"

export type NetworkSettings = Pick<Settings, "proxy" | "bytesPerSecondLimit">

export interface Network {
  /** For the next request: another one after the proxy was changed. Throws bad_input where the proxy of the environment cannot be used. */
  dispatcher(): Dispatcher
  readonly limit: SpeedLimit
  readonly connections: Connections
  /** Takes changed settings. Transfers under way keep their connection and go on through the new proxy with their next request. */
  apply(settings: NetworkSettings): void
  close(): Promise<void>
}

export interface NetworkOptions {
  settings?: NetworkSettings
  env?: Record<string, string | undefined>
  /** For transfers, all together. */
  connections?: number
}

const usualConnections = 4

export function createNetwork({ settings, env = process.env, connections = usualConnections }: NetworkOptions = {}): Network {
  let proxy = settings?.proxy ?? ""
  let current: Dispatcher | null = null
  const open = new Set<Dispatcher>()
  const limit = createSpeedLimit()
  limit.set(settings?.bytesPerSecondLimit ?? 0)

  function make(): Dispatcher {
    const made = dispatcherFor(proxy, env)
    open.add(made)
    return made
  }

  function retire(): void {
    const retired = current
    current = null
    // It ends when what goes through it has ended; how it ends matters to nobody.
    retired?.close().then(
      () => open.delete(retired),
      () => open.delete(retired),
    )
  }

  return {
    dispatcher() {
      current ??= make()
      return current
    },
    limit,
    connections: createConnections(connections),
    apply(changed) {
      limit.set(changed.bytesPerSecondLimit)
      if (changed.proxy === proxy) return
      proxy = changed.proxy
      retire()
    },
    async close() {
      current = null
      await Promise.all([...open].map((dispatcher) => dispatcher.destroy()))
      open.clear()
    },
  }
}

let shared: Network | undefined

/** For those who got none: as the environment of this process says. */
export function usualNetwork(): Network {
  shared ??= createNetwork()
  return shared
}
