// Adding models: records that survive restarts, and the work on each, which goes on by itself until it is done, paused or failed.
import { randomUUID } from "node:crypto"
import { basename, resolve } from "node:path"
import type { AppContract } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import { type Addition, AdditionOptions, type AdditionSource } from "../../shared/schema/addition.ts"
import { AppError, toErrorData } from "../../shared/schema/error.ts"
import type { Environment } from "../additions/environment.ts"
import { AdditionFolders } from "../additions/folders.ts"
import { waitingFile } from "../additions/from-hub.ts"
import { runAddition } from "../additions/run.ts"
import { type AdditionDetails, createAdditionStore } from "../additions/store.ts"
import type { Database } from "../storage/database.ts"
import type { Events } from "./events.ts"
import { createTurns } from "./turns.ts"

export interface AdditionsService {
  list(): Addition[]
  /** Resolves when nothing here works on it any more. */
  ended(id: string): Promise<void>
  /** Goes on with what ran when the program ended. For the holder of the lock. */
  resume(): void
  /** Ends what runs, to be gone on with at the next start. */
  close(): Promise<void>
  handlers: Pick<
    Handlers<AppContract>,
    | "additions.create"
    | "additions.update"
    | "additions.start"
    | "additions.pause"
    | "additions.back"
    | "additions.remove"
    | "additions.tensors"
  >
}

export type AdditionsOptions = Omit<Environment, "store" | "takeCheckTurn" | "checkPatience_ms"> & {
  database: Database
  events: Events
  /** Whether this process holds the lock of the data folder. */
  isLocked: boolean
  checkPatience_ms?: number
}

/** A layer of a large model takes this long on a slow computer. */
const usualPatience_ms = 60_000

/** Why the work on one is ended: what becomes of its record. */
type Ending = "paused" | "back" | "removed" | "closing"

interface Running {
  abort: AbortController
  ending: Ending | null
  ended: Promise<void>
}

const storageHint = "Under Storage in the settings stands what takes room. Go on when there is enough."

export function createAdditions(options: AdditionsOptions): AdditionsService {
  const { database, events, isLocked, checkPatience_ms = usualPatience_ms, ...rest } = options
  const store = createAdditionStore({ database, events, isLocked })
  const environment: Environment = { ...rest, store, takeCheckTurn: createTurns(), checkPatience_ms }
  const { paths, settings, inspect, hub } = environment
  const running = new Map<string, Running>()
  let isClosing = false
  let hasResumed = false

  function start(id: string): Addition {
    store.claim(id)
    const abort = new AbortController()
    const entry: Running = { abort, ending: null, ended: Promise.resolve() }
    running.set(id, entry)
    const addition = store.change(id, { state: "running", error: null, helpUrl: null })
    entry.ended = (async () => {
      try {
        // The caller gets the record before the work changes it.
        await null
        await runAddition(environment, id, abort.signal)
      } catch (thrown) {
        end(id, entry.ending, thrown)
      } finally {
        running.delete(id)
        store.release(id)
      }
    })()
    // A record that cannot be saved (full disk) was told by the event.
    entry.ended.catch(() => {})
    return addition
  }

  function end(id: string, ending: Ending | null, thrown: unknown): void {
    if (ending === "paused") store.change(id, { state: "paused" })
    else if (ending === "back") store.change(id, { state: "draft", step: "plan" })
    // As it was: the next start goes on with it.
    else if (ending === "closing") store.change(id, { state: "running" })
    else if (ending === null) {
      const error = toErrorData(thrown)
      store.change(id, {
        state: "failed",
        error: error.code === "no_space" ? { ...error, hint: [error.hint, storageHint].filter(Boolean).join(" ") } : error,
      })
    }
  }

  async function stop(id: string, ending: Ending): Promise<void> {
    const entry = running.get(id)
    if (!entry) return store.requireOurs(id)
    entry.ending = ending
    entry.abort.abort()
    await entry.ended
  }

  function insert(about: Pick<Addition, "source" | "name" | "path" | "license" | "files">, details: Partial<AdditionDetails>): Addition {
    const { defaultFormat, keepOriginals } = settings.get()
    const now = Date.now()
    const addition: Addition = {
      ...{ id: randomUUID(), ...about, step: "plan", state: "draft" },
      options: AdditionOptions.parse({ format: defaultFormat, keepOriginals }),
      ...{ download: null, quantize: null, kept: [], check: { state: "waiting" }, modelId: null, error: null, helpUrl: null },
      ...{ createdAt: now, updatedAt: now },
    }
    const none = { files: [], headers: null, pageUrl: null, licenseUrl: null, target: null, originalTarget: null }
    store.insert(addition, { ...none, ...details })
    return addition
  }

  async function createFromHub({ name, revision, variant }: Extract<AdditionSource, { kind: "hub" }>): Promise<Addition> {
    const model = await hub.model({ name: revision ? `${name}@${revision}` : name, ...(variant ? { variant } : {}) })
    const { summary, files, headers, pageUrl, licenseUrl } = model
    const source = { kind: "hub" as const, name: summary.name, revision: model.revision, variant: model.variant }
    const about = { source, name: nameOf(source), path: headers ?? "", license: summary.license, files: files.map(waitingFile) }
    const addition = insert(about, { files, headers, pageUrl, licenseUrl })
    return headers === null ? store.change(addition.id, { helpUrl: licenseUrl ?? pageUrl }) : addition
  }

  async function createFromHere(given: string): Promise<Addition> {
    const { path, name, license, supported, can_be_quantized, reason } = await inspect(resolve(given))
    if (!supported && !can_be_quantized) throw new AppError("unsupported", reason ?? `${path} cannot be used.`)
    return insert({ source: { kind: "local", path }, name, path, license, files: [] }, {})
  }

  function requireEditable({ id, name, state }: Addition): void {
    if (running.has(id)) throw new AppError("busy", `${name} is being worked on.`, "Pause it first.")
    store.requireOurs(id)
    if (state === "done") throw new AppError("bad_input", `${name} is added already.`, "Add it again for another format.")
  }

  /** Starts what was being worked on by a process that is gone. */
  function resume(): void {
    for (const { id, state } of store.list()) {
      const isLeft = (state === "running" || state === "waiting") && !running.has(id) && !store.isElsewhere(id)
      if (isLeft) start(id)
    }
  }

  return {
    list() {
      // A command line that was killed meanwhile left something behind.
      if (hasResumed && !isClosing) resume()
      return store.list()
    },
    async ended(id) {
      await running.get(id)?.ended
    },
    resume() {
      hasResumed = true
      resume()
    },
    async close() {
      isClosing = true
      await Promise.all([...running.keys()].map((id) => stop(id, "closing")))
    },
    handlers: {
      "additions.create": ({ source }) => (source.kind === "hub" ? createFromHub(source) : createFromHere(source.path)),
      "additions.update"({ id, options }) {
        requireEditable(store.get(id))
        // Another format or text makes another check.
        return store.change(id, { options, quantize: null, check: { state: "waiting" } })
      },
      "additions.start"({ id }) {
        const addition = store.get(id)
        if (isClosing) throw new AppError("busy", "Nibble is being closed.")
        if (running.has(id)) return addition
        requireEditable(addition)
        return start(id)
      },
      async "additions.pause"({ id }) {
        await stop(id, "paused")
        return store.get(id)
      },
      async "additions.back"({ id }) {
        const { state } = store.get(id)
        if (state === "done") throw new AppError("bad_input", "It is added already.", "Add it again for another format.")
        await stop(id, "back")
        return store.change(id, { step: "plan", state: "draft", error: null, helpUrl: null })
      },
      async "additions.remove"({ id }) {
        const { name } = store.get(id)
        await stop(id, "removed")
        const freedBytes = await new AdditionFolders(paths.downloads, id, name).remove()
        store.remove(id)
        return { freedBytes }
      },
      "additions.tensors": ({ id }) => store.tensors(id),
    },
  }
}

/** Of a GGUF file that of the file, without what says which part it is. */
function nameOf({ name, variant }: Extract<AdditionSource, { kind: "hub" }>): string {
  if (variant === null) return basename(name)
  return basename(variant).replace(/(-\d{5}-of-\d{5})?\.gguf$/i, "")
}
