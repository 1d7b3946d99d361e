// The engine host as a child process of plain Node.
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { HostProcess } from "./client.ts"

/** How long a host may take to end by itself, so that it can remove what it had half written. */
const graceMs = 3000

export function hostPath(): string {
  return fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./host.ts" : "./host.mjs", import.meta.url))
}

/** `path`: of the host's file; the usual one is that of this program. */
export function forkHost(path = hostPath()): HostProcess {
  // execArgv: nothing of ours, such as a debugger's port, goes on to the child. It collects its garbage itself (script-memory.ts).
  const execArgv = ["--expose-gc"]
  return hostOfChild(fork(path, { serialization: "advanced", stdio: ["ignore", "inherit", "pipe", "ipc"], execArgv }))
}

/** A child process with an IPC channel as a host. */
export function hostOfChild(child: ChildProcess): HostProcess {
  child.stderr?.setEncoding("utf8")
  return {
    pid: child.pid,
    port: {
      // Sending to a process that is gone fails; its end is told by onExit.
      post: (message) => void child.send(message as never, () => {}),
      onMessage: (listener) => void child.on("message", listener),
      onClose: (listener) => void child.once("disconnect", listener),
    },
    kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      // The host ends by itself when its channel is closed, on every system; signals end it at once on Windows.
      if (child.connected) child.disconnect()
      else child.kill("SIGTERM")
      const timer = setTimeout(() => child.kill("SIGKILL"), graceMs)
      child.once("exit", () => clearTimeout(timer))
    },
    onExit(listener) {
      let isTold = false
      const tell = (code: number | null, signal: string | null) => {
        if (!isTold) listener(code, signal)
        isTold = true
      }
      // After the last output has been read. Not the child's own "close": it does not come once this side closed the channel.
      child.once("exit", (code, signal) => {
        if (child.stderr && !child.stderr.closed) child.stderr.once("close", () => tell(code, signal))
        else tell(code, signal)
      })
      // A process that could not be started has no exit.
      child.on("error", (error) => {
        if (child.pid === undefined) tell(null, error.message)
      })
    },
    onLog: (listener) => void child.stderr?.on("data", listener),
  }
}
