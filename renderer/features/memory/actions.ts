// What the Memory place does: asks the planner while controls move, applies what makes it fit, unloads with proof.

import { QuantizedFormat } from "../../../shared/schema/format.ts"
import type { FitChange } from "../../../shared/schema/plan.ts"
import { client } from "../../lib/client.ts"
import { attempt, describeFailure } from "../../lib/failure.ts"
import { known, mirror } from "../../lib/mirror.ts"
import { goTo, navigation, openAdding } from "../../lib/navigation.ts"
import { forNewest } from "../../lib/newest.ts"
import { showFailure } from "../../ui/toast.tsx"
import { remember } from "./history.ts"
import { applied, asItIs, chosenRow, memoryPart, type NextStep, plannable, requestOf, settledFormat, type WhatIf } from "./state.ts"

const say = (error: Parameters<typeof describeFailure>[0]) => showFailure(describeFailure(error))

/** The minute is kept from the start, so that the chart has a past when the place is opened. */
export function startMemory(): void {
  mirror.subscribe(({ memory, snapshot }, before) => {
    if (snapshot?.load.state !== before.snapshot?.load.state && snapshot?.load.state !== "loading") follow()
    if (!memory || memory === before.memory) return
    remember(memory)
    memoryPart.update(({ samples }) => ({ samples: samples + 1 }))
  })
}

/** What is loaded has changed, and with it what else would fit. */
function follow(): void {
  const { whatIf, isChanged } = memoryPart.get()
  if (whatIf === null || navigation.get().place !== "memory") return
  if (isChanged) replan()
  else reset()
}

/** On the way in. A model that was thought of may be gone. */
export function enter(): void {
  const { whatIf, isChanged } = memoryPart.get()
  const isThere = plannable(known()).some(({ path }) => path === whatIf?.path)
  if (isChanged && isThere) replan()
  else reset()
  void listComputers()
  void loadCapacity(memoryPart.get().capacity.computer)
}

export function reset(): void {
  const { whatIf } = memoryPart.get()
  const next = asItIs(known())
  const isOther = whatIf?.path !== next.path
  memoryPart.update({ whatIf: next, isChanged: false, planFailure: null, fit: null, ...(isOther ? { choices: [], report: null } : {}) })
  replan()
}

/** Another model or computer starts with what the planner recommends and places the layers itself. */
export function change(difference: Partial<WhatIf>): void {
  memoryPart.update(({ whatIf, choices }) => {
    if (!whatIf) return {}
    const next = { ...whatIf, ...difference }
    const isOther = next.path !== whatIf.path
    // A map by hand was made for one model on one computer.
    if (isOther || next.computer !== whatIf.computer) next.deviceMap = "auto"
    if (isOther) Object.assign(next, { format: null, context: 0, embeddings: undefined })
    return { whatIf: next, isChanged: true, fit: null, choices: isOther ? [] : choices, ...(isOther ? { report: null } : {}) }
  })
  replan()
}

export function applyChange({ change: difference }: FitChange): void {
  const { whatIf } = memoryPart.get()
  if (whatIf) change(applied(whatIf, difference))
}

const replan = forNewest(async () => {
  const { whatIf } = memoryPart.get()
  if (whatIf?.path) await plan({ ...whatIf, path: whatIf.path })
}, findFit)

async function plan(whatIf: WhatIf & { path: string }): Promise<void> {
  const { choices } = memoryPart.get()
  // All formats once, for the list; then only the one that is looked at.
  const { format } = whatIf
  const isKnown = choices.length > 0 && format !== null && format !== "stored"
  const report = await attempt(
    () => client["plan.rows"]({ ...requestOf(whatIf), ...(isKnown ? { formats: [format] } : {}) }),
    (error) => memoryPart.update({ planFailure: describeFailure(error), report: null, fit: null }),
  )
  if (!report) return
  memoryPart.update((part) => {
    // Another model was chosen meanwhile.
    if (part.whatIf?.path !== whatIf.path) return {}
    if (isKnown) return { report, planFailure: null }
    return {
      report,
      planFailure: null,
      choices: report.rows,
      whatIf: { ...part.whatIf, format: settledFormat(report, part.whatIf.format) },
    }
  })
}

/** Once the controls rest. */
async function findFit(isOutdated: () => boolean): Promise<void> {
  const { whatIf, report } = memoryPart.get()
  const row = report && chosenRow(report, whatIf?.format ?? null)
  if (!whatIf?.path || !row) return
  if (row.verdict === "fits") return memoryPart.update({ fit: [] })
  const request = requestOf({ ...whatIf, path: whatIf.path })
  const fit = await attempt(
    () => client["plan.fit"]({ ...request, format: row.format }),
    () => memoryPart.update({ fit: [] }),
  )
  if (fit && !isOutdated()) memoryPart.update({ fit })
}

async function listComputers(): Promise<void> {
  const computers = await attempt(
    () => client["plan.computers"](undefined),
    () => {
      // This computer can be planned for all the same.
    },
  )
  if (computers) memoryPart.update({ computers })
}

export async function loadCapacity(computer: string | null): Promise<void> {
  memoryPart.update(({ capacity }) => ({ capacity: { ...capacity, computer, failure: null } }))
  const isCurrent = () => memoryPart.get().capacity.computer === computer
  const table = await attempt(
    () => client["plan.capacity"](computer === null ? {} : { computer }),
    (error) => isCurrent() && memoryPart.update({ capacity: { computer, table: null, failure: describeFailure(error) } }),
  )
  if (table && isCurrent()) memoryPart.update({ capacity: { computer, table, failure: null } })
}

/** Measured before and after: the first measurement that began when the model was gone tells. */
export async function ejectWithProof(): Promise<void> {
  const before = mirror.get().memory?.nibbleBytes
  const result = await attempt(() => client["models.unload"](undefined), say)
  if (!result || before === undefined) return
  memoryPart.update({ proof: { before, after: null } })
  const goneAt = Date.now()
  const stop = mirror.subscribe(({ memory }) => {
    if (!memory || memory.at <= goneAt) return
    stop()
    memoryPart.update({ proof: { before, after: memory.nibbleBytes } })
  })
}

export async function take(step: NextStep): Promise<void> {
  if (step.kind === "goOn") return openAdding(step.additionId)
  if (step.kind === "load") {
    // How far it is and how it ends stands in the top bar.
    await attempt(() => client["models.load"]({ modelId: step.modelId, context: step.context }), say)
    return
  }
  if (step.kind !== "quantize") return
  const format = QuantizedFormat.safeParse(step.format).data
  if (!format) return
  const { embeddings } = memoryPart.get().whatIf ?? {}
  const job = await attempt(() => client["models.quantize"]({ modelId: step.modelId, format, embeddings }), say)
  if (job) goTo("models")
}
