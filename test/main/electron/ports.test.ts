// Electron's ports and processes as ours: messages in order, one end, the last words of a dying host.
import { EventEmitter } from "node:events"
import { PassThrough } from "node:stream"
import { MessageChannel, type MessagePort } from "node:worker_threads"
import { expect, it } from "vitest"
import { z } from "zod"
import { type ChildProcess, hostOfUtilityProcess, type PagePort, pagePort } from "../../../main/electron/ports.ts"
import { connect, method, serve } from "../../../shared/rpc.ts"

class FakeChild extends EventEmitter implements ChildProcess {
  readonly pid: number | undefined = 4242
  readonly stderr = new PassThrough()
  readonly sent: unknown[] = []
  kills = 0
  postMessage(message: unknown) {
    this.sent.push(message)
  }
  kill() {
    this.kills++
    return true
  }
}

it("passes messages both ways, and none to a process that is gone", async () => {
  const child = new FakeChild()
  const { port, pid } = hostOfUtilityProcess(child)
  expect(pid).toBe(4242)
  const got: unknown[] = []
  port.onMessage((message) => got.push(message))
  port.post({ a: 1 })
  child.emit("message", { b: 2 })
  child.emit("exit", 0)
  port.post({ late: true })
  expect([child.sent, got]).toEqual([[{ a: 1 }], [{ b: 2 }]])
})

it("tells the exit after the last output", async () => {
  const child = new FakeChild()
  const host = hostOfUtilityProcess(child)
  const told: unknown[] = []
  host.onLog?.((text) => told.push(text))
  const exit = new Promise<void>((resolve) =>
    host.onExit((code, signal) => {
      told.push({ code, signal })
      resolve()
    }),
  )
  child.emit("exit", 7)
  child.stderr.end("last words")
  await exit
  expect(told).toEqual(["last words", { code: 7, signal: null }])
})

it("tells the exit even if the output never ends", async () => {
  const child = new FakeChild()
  const code = new Promise((resolve) => hostOfUtilityProcess(child).onExit(resolve))
  child.emit("exit", 1)
  expect(await code).toBe(1)
})

it("asks a living host to end, once it is dead no more", () => {
  const child = new FakeChild()
  const host = hostOfUtilityProcess(child)
  host.kill()
  child.emit("exit", 0)
  host.kill()
  expect(child.kills).toBe(1)
})

/** Electron's port in main: an emitter whose messages come as { data }. */
function asMainPort(port: MessagePort): PagePort {
  const emitter = new EventEmitter()
  port.on("message", (data) => emitter.emit("message", { data, ports: [] }))
  port.on("close", () => emitter.emit("close"))
  return Object.assign(emitter, { postMessage: (message: unknown) => port.postMessage(message), start: () => {} }) as unknown as PagePort
}

it("carries calls, and its close aborts them", async () => {
  const contract = { "a.b": method(z.number(), z.number()), "a.wait": method(z.void(), z.void()) }
  const { port1, port2 } = new MessageChannel()
  const aborted = Promise.withResolvers<void>()
  const handlers = {
    "a.b": (n: number) => n + 1,
    "a.wait": (_: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise<void>((resolve) =>
        signal.addEventListener("abort", () => {
          aborted.resolve()
          resolve()
        }),
      ),
  }
  serve(contract, handlers, pagePort(asMainPort(port1)))
  const page = {
    post: (message: unknown) => port2.postMessage(message),
    onMessage: (listener: (message: unknown) => void) => void port2.on("message", listener),
    onClose: (listener: () => void) => void port2.on("close", listener),
  }
  const client = connect(contract, page, { code: "network", message: "lost" })
  expect(await client["a.b"](1)).toBe(2)
  const waiting = client["a.wait"](undefined)
  port2.close()
  await expect(waiting).rejects.toMatchObject({ code: "network" })
  await aborted.promise
})
