// Long work that goes on while pages come and go: started, reported, cancelled, and kept as records. A job whose process died is ended
// by the next start of the app.
import { randomUUID } from "node:crypto"
import type { AppContract } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import { AppError, toErrorData } from "../../shared/schema/error.ts"
import { Job } from "../../shared/schema/job.ts"
import type { Database } from "../storage/database.ts"
import { isElsewhere } from "../storage/owner.ts"
import type { Events } from "./events.ts"
import { createMeter, type Step, throttle } from "./progress.ts"

export interface JobContext {
  id: string
  signal: AbortSignal
  /** Whether the abort comes from the end of the program, not from the user. */
  readonly isClosing: boolean
  report(step: Step): void
}

export interface Jobs {
  list(): Job[]
  /** `work` gives the id of the model it made. */
  start(kind: Job["kind"], subject: string, work: (context: JobContext) => Promise<string | null>): Job
  /** Resolves when it is over, however it ended. */
  ended(jobId: string): Promise<Job>
  /** For the holder of the lock: ends the records of jobs whose process is gone. Returns the ids of those that still run elsewhere. */
  recover(): Set<string>
  /** Cancels what runs here and waits for it. */
  close(): Promise<void>
  handlers: Pick<Handlers<AppContract>, "jobs.cancel" | "jobs.dismiss">
}

interface Running {
  job: Job
  abort: AbortController
  ended: Promise<Job>
}

const progress_ms = 50
const keptRecords = 50

export function createJobs(options: { database: Database; events: Events; isLocked: boolean }): Jobs {
  const { database, events, isLocked } = options
  const running = new Map<string, Running>()
  let isClosing = false

  function records(): Job[] {
    const rows = database.all("SELECT record FROM jobs ORDER BY started_at, rowid")
    return rows.flatMap(({ record }) => {
      const parsed = Job.safeParse(parseJson(record))
      return parsed.success ? [parsed.data] : []
    })
  }

  function save(job: Job): void {
    database.run(
      `INSERT INTO jobs (id, record, state, owner_pid, is_owner_locked, started_at) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET record = excluded.record, state = excluded.state`,
      ...[job.id, JSON.stringify(job), job.state, process.pid, isLocked ? 1 : 0, job.startedAt],
    )
  }

  function list(): Job[] {
    // A command line that was killed meanwhile left a record behind.
    if (isLocked) recover()
    return records().map((job) => running.get(job.id)?.job ?? job)
  }

  function start(kind: Job["kind"], subject: string, work: (context: JobContext) => Promise<string | null>): Job {
    const id = randomUUID()
    const abort = new AbortController()
    const meter = createMeter()
    const job: Job = {
      id,
      kind,
      subject,
      state: "running",
      progress: meter({ phase: "waiting", done: 0, total: 0, unit: "fraction" }),
      modelId: null,
      error: null,
      startedAt: Date.now(),
      endedAt: null,
    }
    save(job)
    database.run(
      `DELETE FROM jobs WHERE state != 'running' AND id NOT IN (SELECT id FROM jobs ORDER BY started_at DESC, rowid DESC LIMIT ${keptRecords})`,
    )
    const entry: Running = { job, abort, ended: Promise.resolve(job) }
    running.set(id, entry)
    const tell = throttle(() => events.emit({ type: "job", job: entry.job }), progress_ms)
    const report = (step: Step) => {
      entry.job = { ...entry.job, progress: meter(step) }
      tell.call()
    }
    const finish = (change: Partial<Job>): Job => {
      tell.cancel()
      running.delete(id)
      const over = { ...entry.job, ...change, endedAt: Date.now() }
      try {
        save(over)
      } finally {
        events.emit({ type: "job", job: over })
      }
      return over
    }
    entry.ended = (async () => {
      try {
        // The caller gets the record before the work changes it.
        await null
        if (abort.signal.aborted) throw new AppError("cancelled", "cancelled")
        const context: JobContext = {
          id,
          signal: abort.signal,
          get isClosing() {
            return isClosing
          },
          report,
        }
        const modelId = await work(context)
        return finish({ state: "done", modelId })
      } catch (thrown) {
        const error = toErrorData(thrown)
        const isCancelled = abort.signal.aborted || error.code === "cancelled"
        if (isCancelled && isClosing) return finish({ state: "failed", error: endedWith(job) })
        return finish(isCancelled ? { state: "cancelled" } : { state: "failed", error })
      }
    })()
    // A record that cannot be saved (full disk) was told by the event; whoever waits for the job gets the error too.
    entry.ended.catch(() => {})
    events.emit({ type: "job", job })
    return job
  }

  function find(jobId: string): Job {
    const job = list().find(({ id }) => id === jobId)
    if (!job) throw new AppError("not_found", `There is no job with the id ${jobId}.`)
    return job
  }

  function recover(): Set<string> {
    const alive = new Set<string>()
    const rows = database.all("SELECT id, record, owner_pid, is_owner_locked FROM jobs WHERE state = 'running'")
    for (const { id, record, owner_pid, is_owner_locked } of rows) {
      if (running.has(String(id))) continue
      if (isElsewhere({ pid: Number(owner_pid), isLocked: is_owner_locked === 1 }, true)) {
        alive.add(String(id))
        continue
      }
      const parsed = Job.safeParse(parseJson(record))
      if (!parsed.success) database.run("DELETE FROM jobs WHERE id = ?", String(id))
      else save({ ...parsed.data, state: "failed", error: endedWith(parsed.data), endedAt: Date.now() })
    }
    return alive
  }

  return {
    list,
    start,
    recover,
    async ended(jobId) {
      return (await running.get(jobId)?.ended) ?? find(jobId)
    },
    async close() {
      isClosing = true
      const open = [...running.values()]
      for (const { abort } of open) abort.abort()
      await Promise.allSettled(open.map(({ ended }) => ended))
    },
    handlers: {
      async "jobs.cancel"({ jobId }) {
        const entry = running.get(jobId)
        if (!entry) {
          const { state, subject } = find(jobId)
          if (state === "running")
            throw new AppError("busy", `Another Nibble process works on ${subject}.`, "Cancel it there, with Ctrl+C in its terminal.")
          return
        }
        entry.abort.abort()
        await entry.ended
      },
      "jobs.dismiss"({ jobId }) {
        const job = find(jobId)
        if (job.state === "running") throw new AppError("busy", `The work on ${job.subject} is still running.`, "Cancel it first.")
        database.run("DELETE FROM jobs WHERE id = ?", jobId)
        events.emit({ type: "jobs", jobs: list() })
      },
    },
  }
}

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    return null
  }
}

const doing: Record<Job["kind"], string> = {
  starter: "being set up",
  quantize: "being quantized",
  import: "being added",
}

function endedWith({ kind, subject }: Job) {
  const isDownload = kind === "starter"
  const left = isDownload ? "What was downloaded is kept for the next try." : "What was half-made has been removed."
  return { code: "cancelled" as const, message: `Nibble was ended while ${subject} was ${doing[kind]}. ${left}`, hint: "Start it again." }
}
