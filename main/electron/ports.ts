// The ports and processes of Electron in the shapes that the rest of the program speaks through.
import type { MessagePortMain } from "electron"
import type { Port } from "../../shared/rpc.ts"
import type { HostProcess } from "../engine/client.ts"

export type PagePort = Pick<MessagePortMain, "postMessage" | "on" | "once" | "start">

export function pagePort(port: PagePort): Port {
  return {
    post: (message) => port.postMessage(message),
    onMessage(listener) {
      port.on("message", ({ data }) => listener(data))
      port.start()
    },
    onClose: (listener) => void port.once("close", listener),
  }
}

export interface ChildProcess {
  readonly pid: number | undefined
  readonly stderr: NodeJS.ReadableStream | null
  postMessage(message: unknown): void
  kill(): boolean
  on(event: "message", listener: (message: unknown) => void): unknown
  once(event: "exit", listener: (code: number) => void): unknown
}

/** Output that comes after the exit is waited for so long. */
const lastOutput_ms = 300
/** A host that does not end by itself is killed after this. */
const grace_ms = 3000

/** The engine host as a utility process; started with `stdio: ["ignore", "inherit", "pipe"]`. */
export function hostOfUtilityProcess(child: ChildProcess): HostProcess {
  let isOver = false
  const exited = new Promise<number>((resolve) =>
    child.once("exit", (code) => {
      isOver = true
      resolve(code)
    }),
  )
  const outputEnded = new Promise<void>((resolve) => {
    if (child.stderr) child.stderr.once("end", () => resolve())
    else resolve()
  })
  child.stderr?.setEncoding("utf8")
  return {
    get pid() {
      return child.pid
    },
    port: {
      post(message) {
        if (!isOver) child.postMessage(message)
      },
      onMessage: (listener) => void child.on("message", listener),
      onClose: (listener) => void exited.then(() => listener()),
    },
    kill() {
      if (isOver) return
      const { pid } = child
      child.kill()
      const timer = setTimeout(() => {
        if (!isOver && pid !== undefined) process.kill(pid, "SIGKILL")
      }, grace_ms)
      timer.unref()
    },
    onExit(listener) {
      void exited.then(async (code) => {
        const late = new Promise<void>((resolve) => setTimeout(resolve, lastOutput_ms))
        await Promise.race([outputEnded, late])
        listener(code, null)
      })
    },
    onLog: (listener) => void child.stderr?.on("data", (text: Buffer | string) => listener(String(text))),
  }
}
