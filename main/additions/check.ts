// The quality check of an addition. That it cannot be made is no failure of the addition: the reason is kept instead.
import { toErrorData } from "../../shared/schema/error.ts"
import { createMeter } from "../services/progress.ts"
import type { ArrivingFiles } from "./arriving-files.ts"
import type { Environment } from "./environment.ts"
import { quantizeOptions } from "./plan.ts"

export interface CheckWish {
  id: string
  /** The 16-bit model. */
  path: string
  /** Given while the files are still coming. */
  files: ArrivingFiles | null
  signal: AbortSignal
}

export async function checkQuality(environment: Environment, { id, path, files, signal }: CheckWish): Promise<void> {
  const { engine, settings, store, takeCheckTurn } = environment
  const { options, check } = store.get(id)
  if (options.format === "stored" || !options.check || check.state === "done" || check.state === "skipped") return
  const { compareWith, checkText, format } = options
  const { computeDtype: _, ...how } = quantizeOptions(options, format)
  const meter = createMeter()
  const say = (fraction: number, item: string) =>
    store.progress(id, {
      check: { state: "running", progress: meter({ phase: "check", done: fraction, total: 1, unit: "fraction", item }) },
    })
  const leave = new AbortController()
  const inner = AbortSignal.any([signal, leave.signal])
  let whyLeft = ""
  const abandon = (reason: string) => {
    whyLeft = reason
    leave.abort()
  }
  files?.beginCheck(abandon)
  try {
    await files?.othersHere
    const report = await takeCheckTurn(
      inner,
      () => {
        if (files?.isTight)
          abandon("Another model was being checked, and the disk has no room to keep the original of this one until then.")
      },
      () => {
        say(0, "")
        const { format: _, ...rest } = how
        return engine.client["quality.run"](
          {
            ...{ path, ...rest, formats: [...new Set([format, ...compareWith])], threads: settings.get().threads },
            ...(checkText === undefined ? {} : { textFile: checkText }),
            ...(files ? { isArriving: true } : {}),
          },
          ({ fraction, item, filesDone }) => {
            say(fraction, item)
            if (filesDone) files?.checkIsDoneWith(filesDone)
          },
          inner,
        )
      },
    )
    store.change(id, { check: { state: "done", report } })
  } catch (thrown) {
    if (signal.aborted) {
      store.change(id, { check: { state: "waiting" } })
      throw thrown
    }
    skipCheck(environment, id, leave.signal.aborted ? whyLeft : toErrorData(thrown).message)
  } finally {
    files?.checkIsOver()
  }
}

export function skipCheck({ store }: Environment, id: string, reason: string): void {
  store.change(id, { check: { state: "skipped", reason } })
}
