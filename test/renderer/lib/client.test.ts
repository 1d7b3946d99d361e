import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { attach, client, connection, retryNow, startConnection } from "../../../renderer/lib/client.ts"
import { resetAll } from "../../../renderer/lib/slice.ts"
import { app } from "../../../shared/contract/app.ts"
import { type Handlers, serve } from "../../../shared/rpc.ts"
import { portPair } from "./ports.ts"

const handlers = {
  "app.diagnostics": () => "fine",
  "jobs.cancel": () => undefined,
  "chats.remove": () => new Promise(() => {}),
} as unknown as Handlers<typeof app>

function connected() {
  const [page, main] = portPair()
  serve(app, handlers, main, { isChecked: true })
  const onOpen = vi.fn()
  const onLost = vi.fn()
  attach(page, onOpen, onLost)
  return { page, onOpen, onLost }
}

let end = () => {}

beforeEach(resetAll)
afterEach(() => {
  end()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe("the connection", () => {
  test("carries calls, those without input and result too", async () => {
    const { page, onOpen } = connected()
    end = () => page.close()
    expect(onOpen).toHaveBeenCalledOnce()
    expect(connection.get().state).toBe("open")
    expect(await client["app.diagnostics"](undefined)).toBe("fine")
    expect(await client["jobs.cancel"]({ jobId: "j" })).toBeUndefined()
  })

  test("refuses bad input with its code", async () => {
    const { page } = connected()
    end = () => page.close()
    await expect(client["chats.search"]({ text: "" })).rejects.toMatchObject({ code: "bad_input" })
  })

  test("rejects open and later calls when it is lost, and says so once", async () => {
    const { page, onLost } = connected()
    const open = client["chats.remove"]({ chatId: "c" })
    page.close()
    page.close()
    await expect(open).rejects.toMatchObject({ code: "network" })
    await expect(client["app.diagnostics"](undefined)).rejects.toMatchObject({ code: "network" })
    expect(onLost).toHaveBeenCalledOnce()
    expect(connection.get().state).toBe("lost")
  })
})

/** A WebSocket that the test opens and closes. */
class FakeSocket extends EventTarget {
  static readonly OPEN = 1
  static all: FakeSocket[] = []
  readyState = 0
  readonly address: string
  readonly sent: string[] = []
  constructor(address: URL) {
    super()
    this.address = String(address)
    FakeSocket.all.push(this)
  }
  send(text: string) {
    this.sent.push(text)
  }
  open() {
    this.readyState = FakeSocket.OPEN
    this.dispatchEvent(new Event("open"))
  }
  close() {
    this.readyState = 3
    this.dispatchEvent(new Event("close"))
  }
}

describe("over a WebSocket", () => {
  const last = () => FakeSocket.all.at(-1)!

  beforeEach(() => {
    vi.useFakeTimers()
    FakeSocket.all = []
    vi.stubGlobal("WebSocket", FakeSocket)
    vi.stubGlobal("location", { protocol: "http:", href: "http://127.0.0.1:4000/#/chat/c1" })
    end = () => last().close()
  })

  test("goes to the server that the page came from", () => {
    startConnection(() => {})
    expect(last().address).toBe("ws://127.0.0.1:4000/rpc")
  })

  test("is tried again, with longer pauses, until it stands; then from the start", () => {
    const onOpen = vi.fn()
    startConnection(onOpen)
    last().close()
    expect(connection.get().state).toBe("lost")
    vi.advanceTimersByTime(500)
    expect(FakeSocket.all).toHaveLength(2)
    last().close()
    vi.advanceTimersByTime(500)
    expect(FakeSocket.all).toHaveLength(2)
    vi.advanceTimersByTime(500)
    expect(FakeSocket.all).toHaveLength(3)
    last().open()
    expect(onOpen).toHaveBeenCalledOnce()
    expect(connection.get().state).toBe("open")
    last().close()
    vi.advanceTimersByTime(250)
    expect(FakeSocket.all).toHaveLength(4)
  })

  test("is tried at once on request", () => {
    startConnection(() => {})
    last().close()
    retryNow()
    expect(FakeSocket.all).toHaveLength(2)
    vi.advanceTimersByTime(10_000)
    expect(FakeSocket.all).toHaveLength(2)
  })
})
