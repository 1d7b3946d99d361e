// What changed, told to every page that looks. Each event carries the whole new value, so a page that is slow gets only the newest.
import type { AppContract, AppEvent } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"

export interface Events {
  emit(event: AppEvent): void
  subscribe(listener: (event: AppEvent) => void): () => void
}

export function createEvents(): Events {
  const listeners = new Set<(event: AppEvent) => void>()
  return {
    emit(event) {
      for (const listener of [...listeners]) listener(event)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export function eventHandlers(events: Events): Pick<Handlers<AppContract>, "app.events"> {
  return {
    async "app.events"(_, { signal, emit }) {
      const waiting = new Map<string, AppEvent>()
      let wake = () => {}
      const unsubscribe = events.subscribe((event) => {
        const key = keyOf(event)
        // To the end of the line: a list of jobs must not overtake what came after it.
        waiting.delete(key)
        waiting.set(key, event)
        wake()
      })
      const stop = () => wake()
      signal.addEventListener("abort", stop)
      try {
        while (!signal.aborted) {
          const [next] = waiting
          if (next) {
            waiting.delete(next[0])
            await emit(next[1])
          } else {
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          }
        }
      } finally {
        signal.removeEventListener("abort", stop)
        unsubscribe()
      }
    },
  }
}

/** What an event is the newest of. */
function keyOf(event: AppEvent): string {
  if (event.type === "job") return `job ${event.job.id}`
  return event.type === "addition" ? `addition ${event.addition.id}` : event.type
}
