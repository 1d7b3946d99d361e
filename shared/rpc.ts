// One call, declared once. A contract is a record of method() and stream() entries; serve() answers it over a Port, connect()
// gives a typed client for it. The same code serves page <-> main and main <-> engine host; the transport is any Port.
import { z } from "zod"
import { AppError, type ErrorCode, ErrorData, toErrorData } from "./schema/error.ts"

/** Ordered, reliable, message-based. `onMessage` and `onClose` take one listener each and are set before anything is posted. */
export interface Port {
  post(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
  /** Called once when the other side is gone. */
  onClose(listener: () => void): void
}

interface Method<I extends z.ZodType, O extends z.ZodType> {
  kind: "method"
  input: I
  output: O
}
interface Stream<I extends z.ZodType, E extends z.ZodType, O extends z.ZodType> {
  kind: "stream"
  input: I
  event: E
  output: O
}
type Entry = Method<z.ZodType, z.ZodType> | Stream<z.ZodType, z.ZodType, z.ZodType>
export type Contract = Record<string, Entry>

export function method<I extends z.ZodType, O extends z.ZodType>(input: I, output: O): Method<I, O> {
  return { kind: "method", input, output }
}
export function stream<I extends z.ZodType, E extends z.ZodType, O extends z.ZodType>(input: I, event: E, output: O): Stream<I, E, O> {
  return { kind: "stream", input, event, output }
}

/** What a handler may use besides its input. `emit` resolves once the receiver keeps up (at most `window` events under way). */
export interface CallContext<Event> {
  signal: AbortSignal
  emit(event: Event): Promise<void>
}
type Out<T extends z.ZodType> = z.output<T> | Promise<z.output<T>>
export type Handlers<C extends Contract> = {
  [K in keyof C]: C[K] extends Stream<infer I, infer E, infer O>
    ? (input: z.output<I>, context: CallContext<z.output<E>>) => Out<O>
    : C[K] extends Method<infer I, infer O>
      ? (input: z.output<I>, context: CallContext<never>) => Out<O>
      : never
}
export type Client<C extends Contract> = {
  [K in keyof C]: C[K] extends Stream<infer I, infer E, infer O>
    ? (input: z.input<I>, onEvent: (event: z.output<E>) => void | Promise<void>, signal?: AbortSignal) => Promise<z.output<O>>
    : C[K] extends Method<infer I, infer O>
      ? (input: z.input<I>, signal?: AbortSignal) => Promise<z.output<O>>
      : never
}

const id = z.int().nonnegative()
// Optional: "nothing" is undefined, and JSON leaves out such a key.
const ToServer = z.discriminatedUnion("type", [
  z.object({ type: z.literal("call"), id, name: z.string(), input: z.unknown().optional() }),
  z.object({ type: z.literal("cancel"), id }),
  z.object({ type: z.literal("ack"), id, count: z.int() }),
])
const ToClient = z.discriminatedUnion("type", [
  z.object({ type: z.literal("event"), id, event: z.unknown().optional() }),
  z.object({ type: z.literal("result"), id, value: z.unknown().optional() }),
  z.object({ type: z.literal("error"), id, error: ErrorData }),
])

export interface ServeOptions {
  /** Parse events and results too: in development and tests. Inputs are always parsed. */
  isChecked?: boolean
  /** Events that may be unacknowledged before emit() waits. */
  window?: number
}

/** Answers calls until the port closes; then every running call is aborted. */
export function serve<C extends Contract>(contract: C, handlers: Handlers<C>, port: Port, options: ServeOptions = {}): void {
  const { isChecked = false, window = 64 } = options
  const running = new Map<number, { abort: AbortController; unacknowledged: number; wake: (() => void)[] }>()

  async function answer(callId: number, name: string, rawInput: unknown): Promise<void> {
    const call = { abort: new AbortController(), unacknowledged: 0, wake: [] as (() => void)[] }
    running.set(callId, call)
    try {
      const entry = Object.hasOwn(contract, name) ? contract[name] : undefined
      if (!entry) throw new AppError("bad_input", `There is no call named "${name}".`)
      const emit = async (event: unknown) => {
        if (entry.kind === "stream" && isChecked) entry.event.parse(event)
        if (call.abort.signal.aborted) return
        port.post({ type: "event", id: callId, event })
        call.unacknowledged++
        while (call.unacknowledged >= window && !call.abort.signal.aborted) await new Promise<void>((resolve) => call.wake.push(resolve))
      }
      const handler = handlers[name] as unknown as (input: unknown, context: CallContext<unknown>) => unknown
      const value = await handler(entry.input.parse(rawInput), { signal: call.abort.signal, emit })
      port.post({ type: "result", id: callId, value: isChecked ? entry.output.parse(value) : value })
    } catch (thrown) {
      port.post({ type: "error", id: callId, error: toErrorData(thrown) })
    } finally {
      running.delete(callId)
    }
  }

  function wakeAll(call: { wake: (() => void)[] }): void {
    for (const wake of call.wake.splice(0)) wake()
  }

  port.onMessage((raw) => {
    const parsed = ToServer.safeParse(raw)
    if (!parsed.success) return
    const message = parsed.data
    if (message.type === "call") void answer(message.id, message.name, message.input)
    const call = running.get(message.id)
    if (!call) return
    if (message.type === "cancel") call.abort.abort()
    if (message.type === "ack") call.unacknowledged -= message.count
    if (message.type !== "call") wakeAll(call)
  })
  port.onClose(() => {
    for (const call of running.values()) {
      call.abort.abort()
      wakeAll(call)
    }
  })
}

/** A typed client. When the port closes, every open and later call rejects with `lost`. */
export function connect<C extends Contract>(contract: C, port: Port, lost: { code: ErrorCode; message: string; hint?: string }): Client<C> {
  interface Open {
    resolve(value: unknown): void
    reject(error: AppError): void
    onEvent: ((event: unknown) => void | Promise<void>) | undefined
  }
  const open = new Map<number, Open>()
  let nextId = 1
  let isClosed = false
  const lostError = () => new AppError(lost.code, lost.message, lost.hint)

  port.onMessage((raw) => {
    const parsed = ToClient.safeParse(raw)
    const call = parsed.success ? open.get(parsed.data.id) : undefined
    if (!parsed.success || !call) return
    const message = parsed.data
    if (message.type === "event") {
      const acknowledge = () => port.post({ type: "ack", id: message.id, count: 1 })
      void Promise.resolve(call.onEvent?.(message.event)).then(acknowledge, acknowledge)
      return
    }
    open.delete(message.id)
    if (message.type === "result") call.resolve(message.value)
    else call.reject(new AppError(message.error.code, message.error.message, message.error.hint))
  })
  port.onClose(() => {
    isClosed = true
    for (const call of open.values()) call.reject(lostError())
    open.clear()
  })

  function start(name: string, input: unknown, onEvent: Open["onEvent"], signal: AbortSignal | undefined): Promise<unknown> {
    if (isClosed) return Promise.reject(lostError())
    if (signal?.aborted) return Promise.reject(new AppError("cancelled", "cancelled"))
    const callId = nextId++
    return new Promise<unknown>((resolve, reject) => {
      const cancel = () => port.post({ type: "cancel", id: callId })
      const settle = () => signal?.removeEventListener("abort", cancel)
      signal?.addEventListener("abort", cancel)
      open.set(callId, {
        resolve: (value) => {
          settle()
          resolve(value)
        },
        reject: (error) => {
          settle()
          reject(error)
        },
        onEvent,
      })
      port.post({ type: "call", id: callId, name, input })
    })
  }

  const client: Record<string, unknown> = {}
  for (const [name, entry] of Object.entries(contract)) {
    client[name] =
      entry.kind === "stream"
        ? (input: unknown, onEvent: Open["onEvent"], signal?: AbortSignal) => start(name, input, onEvent, signal)
        : (input: unknown, signal?: AbortSignal) => start(name, input, undefined, signal)
  }
  return client as Client<C>
}
