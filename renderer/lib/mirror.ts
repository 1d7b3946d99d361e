// The page's copy of what main holds: filled by one snapshot whenever the connection stands, kept current by events. Main has the truth.
import type { AppEvent, Snapshot } from "../../shared/contract/app.ts"
import type { MemorySnapshot } from "../../shared/schema/system.ts"
import { client } from "./client.ts"
import { slice } from "./slice.ts"

/** `round` counts the snapshots: a new one means that anything may have changed meanwhile. */
export const mirror = slice("mirror", { snapshot: null as Snapshot | null, memory: null as MemorySnapshot | null, round: 0 })

export type Mirror = ReturnType<typeof mirror.get>

export function applyEvent(part: Mirror, event: AppEvent): Partial<Mirror> {
  const { snapshot } = part
  // The snapshot under way will hold it.
  if (!snapshot) return {}
  switch (event.type) {
    case "engine":
      return { snapshot: { ...snapshot, engine: event.engine } }
    case "load":
      return { snapshot: { ...snapshot, load: event.load } }
    case "models":
      return { snapshot: { ...snapshot, models: event.models } }
    case "jobs":
      return { snapshot: { ...snapshot, jobs: event.jobs } }
    case "chats":
      return { snapshot: { ...snapshot, chats: event.chats } }
    case "settings":
      return { snapshot: { ...snapshot, settings: event.settings } }
    case "additions":
      return { snapshot: { ...snapshot, additions: event.additions } }
    case "addition":
      return { snapshot: { ...snapshot, additions: replaced(snapshot.additions, event.addition) } }
    case "hub":
      return { snapshot: { ...snapshot, hub: event.hub } }
    case "speed":
      return { snapshot: { ...snapshot, speed: event.speed } }
    case "predictions":
      return { snapshot: { ...snapshot, predictions: event.predictions } }
    case "job":
      return { snapshot: { ...snapshot, jobs: replaced(snapshot.jobs, event.job) } }
  }
}

/** With the new value in the place of the old one, or at the end. */
function replaced<T extends { id: string }>(list: T[], value: T): T[] {
  const isKnown = list.some(({ id }) => id === value.id)
  return isKnown ? list.map((one) => (one.id === value.id ? value : one)) : [...list, value]
}

/** Subscribes, then asks for everything: both go over one ordered connection, so nothing is missed between them. */
export async function fillMirror(): Promise<void> {
  client["app.events"](undefined, (event) => mirror.update((part) => applyEvent(part, event))).catch(() => {
    // Ends with the connection, which tells by itself.
  })
  const snapshot = await client["app.snapshot"](undefined)
  mirror.update((part) => ({ snapshot, round: part.round + 1 }))
}

/** Main's copy outside components. The shell shows nothing else before it is there. */
export function known(): Snapshot {
  const { snapshot } = mirror.get()
  if (!snapshot) throw new Error("main's snapshot is not here yet")
  return snapshot
}

let watching: AbortController | null = null

/** Memory is measured while somebody can see it. Called when the connection stands, and by itself when the page is shown or hidden. */
export function watchMemory(): void {
  watching?.abort()
  watching = null
  if (document.hidden) return
  watching = new AbortController()
  client["app.watchMemory"](undefined, (memory) => mirror.update({ memory }), watching.signal).catch(() => {
    // Ends with the connection, which tells by itself.
  })
}

/** In components below the shell. */
export function useMain<V>(selector: (snapshot: Snapshot) => V): V {
  return mirror.use(({ snapshot }) => {
    if (!snapshot) throw new Error("a part of the page was shown before main's snapshot")
    return selector(snapshot)
  })
}
