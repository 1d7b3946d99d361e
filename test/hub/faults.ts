// What can go wrong with a file on its way: each is used up after `times` requests.
import type { ServerResponse } from "node:http"

export type Fault = {
  /** The name of a file; the beginning of an address where it begins with "/"; or a pattern for addresses. Those of large files' bytes begin with /storage/org/name/. */
  match: string | RegExp
  /** Absent: always. */
  times?: number
} & (
  | { kind: "status"; status: number; headers?: Record<string, string> }
  /** Nothing more comes after so many bytes of the answer; the connection stays. */
  | { kind: "stall"; at: number }
  /** The connection breaks there. */
  | { kind: "reset"; at: number }
  /** The byte of the FILE at this offset is changed. */
  | { kind: "corrupt"; at: number }
  /** The answer says another length, and has it. */
  | { kind: "length"; by: number }
  /** So many milliseconds until the headers. */
  | { kind: "slow-start"; ms: number }
  /** Ranges are not understood: the whole file comes. */
  | { kind: "no-ranges" }
)

export class Faults {
  private list: Fault[] = []

  add(...faults: Fault[]): void {
    this.list.push(...faults.map((fault) => ({ ...fault })))
  }

  clear(): void {
    this.list = []
  }

  /** Those for an address, counted as used. */
  take(path: string, file: string | null): Fault[] {
    const found = this.list.filter(({ match }) => {
      if (typeof match !== "string") return match.test(path)
      return match.startsWith("/") ? path.startsWith(match) : file === match
    })
    for (const fault of found) if (fault.times !== undefined) fault.times--
    this.list = this.list.filter(({ times }) => times === undefined || times > 0)
    return found
  }
}

/** One that is in the list, by its kind. */
export function faultOf<Kind extends Fault["kind"]>(faults: Fault[], kind: Kind): Extract<Fault, { kind: Kind }> | undefined {
  return faults.find((fault): fault is Extract<Fault, { kind: Kind }> => fault.kind === kind)
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      response.off("drain", go).off("close", go)
      resolve()
    }
    response.on("drain", go).on("close", go)
  })
}

/** Writes a body as the faults and the speed say. */
export async function sendBody(response: ServerResponse, body: Buffer, faults: Fault[], bytesPerSecond: number): Promise<void> {
  const end = Math.min(faultOf(faults, "stall")?.at ?? body.length, faultOf(faults, "reset")?.at ?? body.length)
  const piece = bytesPerSecond > 0 ? Math.max(1, Math.ceil(bytesPerSecond / 20)) : 1 << 18
  for (let at = 0; at < end && !response.destroyed; at += piece) {
    const more = response.write(body.subarray(at, Math.min(end, at + piece)))
    if (bytesPerSecond > 0) await new Promise((resolve) => setTimeout(resolve, 50))
    else if (!more) await drained(response)
  }
  if (faultOf(faults, "stall")) return
  if (faultOf(faults, "reset")) {
    // What was written is to arrive before the end.
    setTimeout(() => response.destroy(), 20)
    return
  }
  response.end()
}
