// Asking the planner for the addition at hand.
import { client } from "../../lib/client.ts"
import { attempt, describeFailure } from "../../lib/failure.ts"
import { known } from "../../lib/mirror.ts"
import { adding, chosenRow, planRequest } from "./state.ts"

function current() {
  const { plan } = adding.get()
  const addition = known().additions.find(({ id }) => id === plan?.additionId)
  // A gated model has no headers to plan from yet.
  return plan && addition && addition.path !== "" ? { plan, addition } : null
}

export async function planNow(): Promise<void> {
  const now = current()
  if (!now) return
  const { plan, addition } = now
  const isCurrent = () => adding.get().plan?.additionId === plan.additionId
  const report = await attempt(
    () => client["plan.rows"](planRequest(addition, plan)),
    (error) =>
      isCurrent() && adding.update((part) => ({ plan: part.plan && { ...part.plan, report: null, failure: describeFailure(error) } })),
  )
  if (report && isCurrent()) adding.update((part) => ({ plan: part.plan && { ...part.plan, report, failure: null } }))
}

/** Once the controls rest: what to change so that the chosen row fits. */
export async function findFit(isOutdated: () => boolean): Promise<void> {
  const now = current()
  const row = now?.plan.report && chosenRow(now.plan.report, now.addition.options.format)
  if (!now || !row) return
  const set = (fit: NonNullable<typeof now.plan.fit>) => adding.update((part) => ({ plan: part.plan && { ...part.plan, fit } }))
  if (row.verdict === "fits") return set([])
  const found = await attempt(
    () => client["plan.fit"]({ ...planRequest(now.addition, now.plan), format: row.format }),
    () => set([]),
  )
  if (found && !isOutdated()) set(found)
}
