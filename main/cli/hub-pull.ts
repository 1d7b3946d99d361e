// A model of the hub by command. It is added as the page's wizard adds it, so that either goes on with what the other began.
import type { Addition } from "../../shared/schema/addition.ts"
import { AppError } from "../../shared/schema/error.ts"
import type { HubModel } from "../../shared/schema/hub.ts"
import type { JobProgress } from "../../shared/schema/job.ts"
import type { InstalledModel } from "../../shared/schema/model.ts"
import { sourceText } from "../additions/placing.ts"
import type { App } from "../app.ts"
import { ggufName } from "../models/gguf-parts.ts"
import type { CommandContext } from "./command.ts"
import { readHubModel } from "./hub-model.ts"
import { followProgress, unused } from "./with-app.ts"

export interface HubPull {
  /** As people name it: "organization/name", with "@revision", or an address. */
  reference: string
  /** A GGUF file of the repository; undefined: the usual one. */
  variant: string | undefined
  format: Addition["options"]["format"]
  keepOriginals: boolean
}

/** Installed already, or added now. Ctrl+C pauses it. */
export async function pullFromHub(app: App, wish: HubPull, context: CommandContext): Promise<InstalledModel> {
  const { registry } = app.services
  const model = await readHubModel(app, { name: wish.reference, variant: wish.variant }, context)
  requireUsable(model, wish)
  const known = registry.list().find((one) => isTheSame(one, model, wish))
  if (known) return known
  const { id, name } = await begun(app, model, wish)
  const ended = await follow(app, id, name, context)
  return registry.get(ended)
}

/** What cannot run here may still be quantized. */
function requireUsable({ summary, inspection }: HubModel, { format }: HubPull): void {
  const { name, supported, reason } = summary
  if (!supported) throw new AppError("unsupported", reason ?? `${name} cannot be used.`)
  if (format === "stored" && !inspection?.supported)
    throw new AppError(
      "unsupported",
      inspection?.reason ?? `${name} cannot run here.`,
      "For other programs it can be quantized: with --format.",
    )
}

function isTheSame(known: InstalledModel, { summary, revision, variant, inspection }: HubModel, { format }: HubPull): boolean {
  if (known.source !== sourceText({ kind: "hub", name: summary.name, revision, variant })) return false
  const isFile = format === "stored" && variant !== null
  return isFile ? ggufName(known.path) === variant : known.format === (format === "stored" ? inspection?.format : format)
}

/** What was begun before of the same, or a new one. */
async function begun(app: App, { summary, revision, variant }: HubModel, { format, keepOriginals }: HubPull): Promise<Addition> {
  const source = { kind: "hub" as const, name: summary.name, revision, variant }
  const isSame = ({ state, source: other, options }: Addition) =>
    state !== "done" &&
    other.kind === "hub" &&
    sourceText(other) === sourceText(source) &&
    other.variant === variant &&
    options.format === format &&
    options.keepOriginals === keepOriginals
  const open = app.services.additions.list().find(isSame)
  if (open) return open
  const made = await app.handlers["additions.create"]({ source }, unused)
  const options = { ...made.options, format, keepOriginals, check: false }
  return app.handlers["additions.update"]({ id: made.id, options }, unused)
}

/** Shows how far it is, and waits for its end. Returns the id of the model. */
async function follow(app: App, id: string, name: string, { output, signal }: CommandContext): Promise<string> {
  const { events, additions } = app.services
  const shown = followProgress(output, name)
  const ended = Promise.withResolvers<Addition>()
  const unsubscribe = events.subscribe((event) => {
    if (event.type !== "addition" || event.addition.id !== id) return
    const { addition } = event
    const at = currentStep(addition)
    if (at) shown.update(at)
    if (addition.state === "done" || addition.state === "failed" || addition.state === "paused") ended.resolve(addition)
  })
  const pause = () => void Promise.resolve(app.handlers["additions.pause"]({ id }, unused)).catch(ended.reject)
  signal.addEventListener("abort", pause, { once: true })
  try {
    await app.handlers["additions.start"]({ id }, unused)
    if (signal.aborted) pause()
    const { state, modelId, error } = await ended.promise
    // The event tells the last change; the work is over a moment later.
    await additions.ended(id)
    if (error) throw new AppError(error.code, error.message, error.hint)
    if (state === "paused" || modelId === null) throw new AppError("cancelled", "cancelled")
    return modelId
  } finally {
    shown.end()
    unsubscribe()
    signal.removeEventListener("abort", pause)
  }
}

/** What does not arrive, and why, is more worth knowing than what does. */
function currentStep({ step, download, quantize, files }: Addition): JobProgress | null {
  if (step !== "download") return quantize
  const trouble = files.find(({ state, error, retryAt }) => state === "retrying" && error && retryAt !== null)
  if (!download || !trouble) return download
  return { ...download, item: `${trouble.error?.message} Next try at ${new Date(trouble.retryAt ?? 0).toTimeString().slice(0, 8)}` }
}
