// What the wizard does: searches, looks at a model, plans, and tells main to begin, to rest and to go on.
import type { Addition, AdditionOptions, AdditionSource, AdditionStep } from "../../../shared/schema/addition.ts"
import type { HubModelSummary, HubQuery } from "../../../shared/schema/hub.ts"
import type { FitChange } from "../../../shared/schema/plan.ts"
import { client } from "../../lib/client.ts"
import { attempt, describeFailure } from "../../lib/failure.ts"
import { formatBytes } from "../../lib/format.ts"
import { t } from "../../lib/i18n.ts"
import { applyEvent, known, mirror } from "../../lib/mirror.ts"
import { goTo, openAdding } from "../../lib/navigation.ts"
import { forNewest } from "../../lib/newest.ts"
import { showFailure, showToast } from "../../ui/toast.tsx"
import { findFit, planNow } from "./planning.ts"
import { adding, type Chosen } from "./state.ts"

const say = (error: Parameters<typeof describeFailure>[0]) => showFailure(describeFailure(error))

const typing_ms = 250
let searching: AbortController | null = null
let typed: ReturnType<typeof setTimeout> | undefined

/** Changes what is searched for. Typing waits for a pause, a filter does not. */
export function changeQuery(change: Partial<HubQuery>): void {
  adding.update(({ query }) => ({ query: { ...query, ...change } }))
  clearTimeout(typed)
  typed = setTimeout(() => void search(), "text" in change ? typing_ms : 0)
}

export async function search(): Promise<void> {
  const { cursor: _, ...query } = adding.get().query
  adding.update((part) => ({ search: { state: "loading", models: part.search.models } }))
  await ask(query, [])
}

export async function searchMore(): Promise<void> {
  const { search: found, query } = adding.get()
  if (found.state !== "ready" || found.cursor === null) return
  adding.update({ search: { state: "loading", models: found.models } })
  await ask({ ...query, cursor: found.cursor }, found.models)
}

async function ask(query: HubQuery, before: HubModelSummary[]): Promise<void> {
  searching?.abort()
  const mine = new AbortController()
  searching = mine
  const page = await attempt(
    () => client["hub.search"](query, mine.signal),
    (error) => {
      if (searching === mine) adding.update({ search: { state: "failed", models: before, failure: describeFailure(error) } })
    },
  )
  if (!page || searching !== mine) return
  adding.update({ search: { state: "ready", models: addingModels(before, page.models), cursor: page.cursor, endpoint: page.endpoint } })
}

/** A model that moved in the order meanwhile comes twice. */
function addingModels<T extends { name: string }>(before: T[], more: T[]): T[] {
  const names = new Set(before.map(({ name }) => name))
  return [...before, ...more.filter(({ name }) => !names.has(name))]
}

let looking: AbortController | null = null

export async function chooseHub(name: string, variant?: string): Promise<void> {
  looking?.abort()
  const mine = new AbortController()
  looking = mine
  const { chosen } = adding.get()
  // Another file of the same repository: what is known of it stays until the new one is there.
  const model = chosen?.kind === "hub" && chosen.name === name && variant ? chosen.model : null
  adding.update({ chosen: { kind: "hub", name, model, failure: null }, createFailure: null })
  const isCurrent = () => looking === mine
  const found = await attempt(
    () => client["hub.model"]({ name, ...(variant ? { variant } : {}) }, mine.signal),
    (error) => isCurrent() && adding.update({ chosen: { kind: "hub", name, model: null, failure: describeFailure(error) } }),
  )
  if (found && isCurrent()) adding.update({ chosen: { kind: "hub", name, model: found, failure: null } })
}

export async function chooseLocal(path: string): Promise<void> {
  looking?.abort()
  looking = null
  const chosen: Chosen = { kind: "local", path, inspection: null, failure: null }
  adding.update({ chosen, isPicking: false, createFailure: null })
  const isCurrent = () => adding.get().chosen === chosen
  const inspection = await attempt(
    () => client["models.inspect"]({ path }),
    (error) => isCurrent() && adding.update({ chosen: { ...chosen, failure: describeFailure(error) } }),
  )
  if (inspection && isCurrent()) adding.update({ chosen: { ...chosen, path: inspection.path, inspection } })
}

/** The access token for gated models; then the model is looked at again. Whether it was taken. */
export async function saveToken(token: string, show: (message: string) => void): Promise<boolean> {
  const account = await attempt(
    () => client["hub.setToken"]({ token }),
    (error) => show(describeFailure(error).detail),
  )
  if (!account) return false
  const { chosen } = adding.get()
  if (chosen?.kind === "hub") void chooseHub(chosen.name)
  return true
}

/** Makes the record that the other steps work on. */
export async function begin(source: AdditionSource): Promise<void> {
  adding.update({ isCreating: true, createFailure: null })
  const addition = await attempt(
    () => client["additions.create"]({ source }),
    (error) => adding.update({ createFailure: describeFailure(error) }),
  )
  adding.update({ isCreating: false })
  if (addition) openAdding(addition.id)
}

export function view(additionId: string, step: AdditionStep | null): void {
  adding.update({ viewed: step && { additionId, step } })
}

/** Shown at once, so that a control stays where it was put; main's record follows, or comes back as it was. */
export async function changeOptions(addition: Addition, change: Partial<AdditionOptions>): Promise<void> {
  const { id } = addition
  const options = withoutUndefined({ ...addition.options, ...change })
  showAddition({ ...addition, options })
  const kept = await attempt(() => client["additions.update"]({ id, options }), say)
  if (!kept) showAddition(addition)
}

function showAddition(addition: Addition): void {
  mirror.update((part) => applyEvent(part, { type: "addition", addition }))
}

/** An option that is not there is not the same as one that is undefined. */
function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T
}

export async function start(id: string): Promise<void> {
  view(id, null)
  await attempt(() => client["additions.start"]({ id }), say)
}

export async function pause(id: string): Promise<void> {
  await attempt(() => client["additions.pause"]({ id }), say)
}

export async function backToPlan(id: string): Promise<void> {
  view(id, null)
  await attempt(() => client["additions.back"]({ id }), say)
}

export async function remove({ id, state }: Addition): Promise<void> {
  const result = await attempt(() => client["additions.remove"]({ id }), say)
  if (!result) return
  openAdding("new")
  if (state !== "done" && result.freedBytes > 0) showToast(t("adding.removed", { size: formatBytes(result.freedBytes) }))
}

/** Loads what was made, and goes to the chat; how the load ends stands in the top bar. */
export function chatWith(modelId: string, context: number): void {
  goTo("chat")
  void attempt(() => client["models.load"]({ modelId, ...(context > 0 ? { context } : {}) }), say)
}

/** Plans anew for what is shown. */
export const replan = forNewest(planNow, findFit)

/** On the way in, and when the options changed. `context` 0: what is usual. */
export function openPlan({ id, options }: Addition): void {
  const { plan } = adding.get()
  if (plan?.additionId !== id)
    adding.update({ plan: { additionId: id, context: options.context, computer: null, report: null, fit: null, failure: null } })
  replan()
}

export function changePlan(change: { context?: number; computer?: string | null }): void {
  adding.update(({ plan }) => ({ plan: plan && { ...plan, ...change } }))
  replan()
}

export function applyFit(addition: Addition, { change }: FitChange): void {
  const { context, format, embeddings } = change
  if (context !== undefined) changePlan({ context })
  const options: Partial<AdditionOptions> = {
    ...(format && format !== "bf16" && format !== "fp16" && format !== "fp32" ? { format } : {}),
    ...(embeddings ? { embeddings } : {}),
    ...(context !== undefined ? { context } : {}),
  }
  if (Object.keys(options).length > 0) void changeOptions(addition, options)
}

export async function runBenchmark(onProgress: (fraction: number) => void, signal: AbortSignal): Promise<void> {
  const profile = await attempt(() => client["plan.benchmark"](undefined, ({ fraction }) => onProgress(fraction), signal), say)
  if (profile) replan()
}

/** On the way into the wizard: the list, unless it is there. */
export function enter(): void {
  const { search: found } = adding.get()
  const isOther = found.state === "ready" && found.endpoint !== known().hub.endpoint
  if (found.models.length === 0 || found.state === "failed" || isOther) void search()
}
