// The services for the length of one command, and jobs followed to their end. The engine starts with the first call that needs it.
import type { Job, JobProgress } from "../../shared/schema/job.ts"
import type { App } from "../app.ts"
import { bytes } from "../sizes.ts"
import type { CommandContext } from "./command.ts"
import { duration, parameters } from "./quantities.ts"

export async function withApp<T>({ output }: CommandContext, work: (app: App) => Promise<T>): Promise<T> {
  const [{ createApp }, { dataFolder }, { forkHost }, { version }] = await Promise.all([
    import("../app.ts"),
    import("../storage/paths.ts"),
    import("../engine/fork.ts"),
    import("../version.ts"),
  ])
  // The command line works beside a running app, so it takes no lock.
  const options = { home: dataFolder(), face: "cli", startHost: forkHost, version, isLocked: false, warn: output.warn } as const
  const app = await createApp(options)
  try {
    return await work(app)
  } finally {
    await app.close()
  }
}

/** Shows the job's progress and waits for its end. Throws what it failed with. Returns the id of the model that it made. */
export async function followJob(app: App, job: Job, { output, signal }: CommandContext): Promise<string> {
  const { AppError } = await import("../../shared/schema/error.ts")
  const { jobs, events } = app.services
  const cancel = () => void Promise.resolve(app.handlers["jobs.cancel"]({ jobId: job.id }, unused)).catch(() => {})
  if (signal.aborted) cancel()
  signal.addEventListener("abort", cancel, { once: true })
  const shown = followProgress(output, job.subject)
  const unsubscribe = events.subscribe((event) => {
    if (event.type === "job" && event.job.id === job.id) shown.update(event.job.progress)
  })
  try {
    const ended = await jobs.ended(job.id)
    if (ended.error) throw new AppError(ended.error.code, ended.error.message, ended.error.hint)
    if (ended.state !== "done" || ended.modelId === null) throw new AppError("cancelled", "cancelled")
    return ended.modelId
  } finally {
    shown.end()
    unsubscribe()
    signal.removeEventListener("abort", cancel)
  }
}

/** Shows the progress of what has phases, each with a bar of its own. */
export function followProgress(output: CommandContext["output"], subject: string): { update(at: JobProgress): void; end(): void } {
  let progress = output.progress(subject)
  let phase = ""
  return {
    update(at) {
      if (at.phase !== phase) {
        progress.end()
        progress = output.progress(`${phases[at.phase]} ${subject}`)
        phase = at.phase
      }
      progress.update(at.total > 0 ? at.done / at.total : null, detail(at))
    },
    end: () => progress.end(),
  }
}

/** For handlers that are called here and neither stream nor stop. */
export const unused = { signal: new AbortController().signal, emit: async () => {} }

const phases: Record<JobProgress["phase"], string> = {
  waiting: "Waiting for",
  download: "Downloading",
  verify: "Checking",
  extract: "Unpacking",
  quantize: "Quantizing",
  check: "Measuring",
  load: "Loading",
  copy: "Copying",
}

function detail({ done, total, unit, rate, secondsLeft, item }: JobProgress): string {
  const amount = unit === "bytes" ? `${bytes(done)}${total > 0 ? ` of ${bytes(total)}` : ""}` : ""
  const speed = rate > 0 && unit !== "fraction" ? `${unit === "bytes" ? bytes(rate) : parameters(rate)}/s` : ""
  const left = secondsLeft === null ? "" : `${duration(secondsLeft)} left`
  return [amount, speed, left, item].filter((part) => part !== "").join(" · ")
}
