// What a set of downloads tells about its files: each change of state at once, and bytes not too often.
import type { AdditionFile } from "../../shared/schema/addition.ts"
import type { Trouble } from "./transfer-retry.ts"

export interface SetProgress {
  /** "verify" when nothing is fetched any more and hashes are still computed. */
  phase: "download" | "verify"
  /** Of all files; what is verified, cached or used counts as done. Goes back only where a file is fetched again. */
  bytesDone: number
  bytesTotal: number
  /** Files that are being worked on, the first of the order first: "a.safetensors" or "a.safetensors, b.safetensors". */
  item: string
}

export interface SetEntry<T> {
  readonly source: T
  /** A change of state, told at once. */
  set(change: Partial<AdditionFile>): void
  /** A request is made. */
  running(): void
  /** So many of its bytes are here. */
  arrived(bytes: number): void
  /** So many bytes that are here were hashed. */
  verifying(hashed: number): void
  retrying(trouble: Trouble): void
}

export interface SetListener {
  onFile?(file: AdditionFile): void
  onProgress?(progress: SetProgress): void
}

const pause_ms = 100

export function createSetReport(listener: SetListener) {
  const entries: { file: AdditionFile; here: number }[] = []
  let toldAt = Number.NEGATIVE_INFINITY
  let timer: ReturnType<typeof setTimeout> | null = null

  function tellProgress(): void {
    if (timer) clearTimeout(timer)
    timer = null
    toldAt = performance.now()
    const files = entries.map(({ file }) => file)
    const active = files.filter(({ state }) => state === "running" || state === "retrying" || state === "verifying")
    listener.onProgress?.({
      phase: active.length > 0 && active.every(({ state }) => state === "verifying") ? "verify" : "download",
      bytesDone: entries.reduce((sum, { here }) => sum + here, 0),
      bytesTotal: files.reduce((sum, { bytes }) => sum + bytes, 0),
      item: active.map(({ name }) => name).join(", "),
    })
  }

  function progressSoon(): void {
    const wait_ms = toldAt + pause_ms - performance.now()
    if (wait_ms <= 0) tellProgress()
    else timer ??= setTimeout(tellProgress, wait_ms)
  }

  function add<T extends { name: string; bytes: number }>(source: T): SetEntry<T> {
    const { name, bytes } = source
    const entry = { file: { name, bytes, done: 0, state: "waiting", error: null, retryAt: null, attempts: 0 } as AdditionFile, here: 0 }
    entries.push(entry)
    let fileToldAt = Number.NEGATIVE_INFINITY

    function tell(): void {
      fileToldAt = performance.now()
      listener.onFile?.({ ...entry.file })
    }

    function change(changed: Partial<AdditionFile>): void {
      const isOther = changed.state !== undefined && changed.state !== entry.file.state
      Object.assign(entry.file, changed)
      if (isOther || performance.now() - fileToldAt >= pause_ms) tell()
      if (isOther) tellProgress()
      else progressSoon()
    }

    return {
      source,
      set(changed) {
        if (changed.done !== undefined) entry.here = changed.done
        Object.assign(entry.file, changed)
        tell()
        tellProgress()
      },
      running() {
        // Another connection may still be at work while one waits to try again.
        const { attempts, state } = entry.file
        change({ state: "running", attempts: Math.max(1, attempts), ...(state === "retrying" ? { retryAt: null } : {}) })
      },
      arrived(done) {
        entry.here = done
        change({ state: "running", done, retryAt: null })
      },
      verifying(done) {
        entry.here = Math.max(entry.here, done)
        change({ state: "verifying", done, retryAt: null })
      },
      retrying({ error: { code, message, hint }, retryAt, attempt }) {
        const error = { code, message, ...(hint ? { hint } : {}) }
        entry.file.attempts = attempt
        change({ state: "retrying", error, retryAt })
      },
    }
  }

  return {
    add,
    /** Nothing is told any more. */
    close() {
      if (timer) clearTimeout(timer)
      timer = null
    },
  }
}
