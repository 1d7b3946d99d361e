// Ends text at the first of some strings, in a stream: what could be the beginning of one is held back until it is decided.

export interface StopStrings {
  readonly isStopped: boolean
  /** The part of the text that is certain by now. */
  push(text: string): string
  /** What was held back, when nothing comes any more. */
  end(): string
}

export function createStopStrings(stops: string[]): StopStrings {
  let held = ""
  let isStopped = false
  return {
    get isStopped() {
      return isStopped
    },
    push(text) {
      if (isStopped) return ""
      held += text
      const at = firstStop(held, stops)
      if (at >= 0) {
        isStopped = true
        const certain = held.slice(0, at)
        held = ""
        return certain
      }
      const kept = longestBeginning(held, stops)
      const certain = held.slice(0, held.length - kept)
      held = held.slice(held.length - kept)
      return certain
    },
    end() {
      const rest = held
      held = ""
      return rest
    },
  }
}

function firstStop(text: string, stops: string[]): number {
  const places = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0)
  return places.length === 0 ? -1 : Math.min(...places)
}

/** Length of the longest end of `text` that begins a stop string. */
function longestBeginning(text: string, stops: string[]): number {
  const longest = Math.max(0, ...stops.map((stop) => stop.length - 1))
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const end = text.slice(text.length - length)
    if (stops.some((stop) => stop.startsWith(end))) return length
  }
  return 0
}
