// "Make it fit": what can be changed of a plan that does not fit, the least loss first. What each change saves is asked of the planner, with
// that change alone; nothing is computed here.
import type { Format, QuantizedFormat } from "../../shared/schema/format.ts"
import type { FitChange, PlanDevice, PlanOptimizer, PlanRequest, PlanRow } from "../../shared/schema/plan.ts"
import { layersOn } from "./placement.ts"
import { spareOf } from "./recommend.ts"

export interface FitQuestion {
  request: PlanRequest
  row: PlanRow
  devices: readonly PlanDevice[]
  /** The row after a change; null where the model cannot have it. */
  ask(change: Omit<FitChange["change"], "deviceMap"> & Partial<Pick<PlanRequest, "deviceMap">>): Promise<PlanRow | null>
  /** Tokens per second; null: not known. */
  speedOf(row: PlanRow): number | null
}

type Candidate = Pick<FitChange, "kind" | "from" | "to" | "cost" | "change">

/** Empty where the plan fits with room to spare. */
export async function changesThatFit(question: FitQuestion): Promise<FitChange[]> {
  const { request, row } = question
  if (row.verdict === "fits") return []
  const series = request.mode === "train" ? [...trainSeries(request), ...weightSeries(request, row)] : chatSeries(request, row)
  const changes: FitChange[] = []
  for (const candidates of series) {
    const change = await firstThatFits(question, candidates)
    if (change) changes.push(change)
  }
  const moved = await movedLayers(question)
  return moved ? [...changes, moved] : changes
}

/** Of changes of one kind that go further and further: the first that is enough, else the last. Null where none saves anything. */
async function firstThatFits(question: FitQuestion, candidates: Candidate[]): Promise<FitChange | null> {
  let furthest: FitChange | null = null
  for (const candidate of candidates) {
    const after = await question.ask(candidate.change)
    if (!after) continue
    const change = described(question, candidate, after)
    if (change.savesBytes <= 0) continue
    furthest = change
    if (change.fitsAfter) break
  }
  return furthest
}

function described({ row, devices, speedOf }: FitQuestion, candidate: Candidate, after: PlanRow): FitChange {
  return {
    ...candidate,
    savesBytes: row.total_bytes - after.total_bytes,
    // What is tight fits already; it is changed to have room.
    fitsAfter: row.verdict === "tight" ? after.verdict === "fits" : after.fits,
    spareBytes: spareOf(after, devices),
    speedBefore: speedOf(row),
    speedAfter: speedOf(after),
  }
}

function chatSeries(request: PlanRequest, row: PlanRow): Candidate[][] {
  const contexts = halves(row.context, leastContext).map(
    (context): Candidate => ({
      kind: "context",
      from: String(row.context),
      to: String(context),
      cost: "shorter_memory",
      change: { context },
    }),
  )
  return [contexts, ...weightSeries(request, row)]
}

const leastContext = 512
const leastSequence = 256
const leastRank = 4

/** What loses nothing comes first: 8-bit states train as well, and gradients of several small batches can be summed. */
function trainSeries({ train }: PlanRequest): Candidate[][] {
  const small = eightBit[train.optimizer]
  const to = (part: Partial<PlanRequest["train"]>) => ({ train: { ...train, ...part } })
  return [
    small ? [{ kind: "optimizer", from: train.optimizer, to: small, cost: "none", change: to({ optimizer: small }) }] : [],
    halves(train.batchSize, 1).map((batchSize): Candidate => {
      return { kind: "batch_size", from: String(train.batchSize), to: String(batchSize), cost: "none", change: to({ batchSize }) }
    }),
    train.gradientCheckpointing
      ? []
      : [{ kind: "checkpointing", from: "off", to: "on", cost: "speed", change: to({ gradientCheckpointing: true }) }],
    halves(train.sequenceLength, leastSequence).map((sequenceLength): Candidate => {
      const { sequenceLength: from } = train
      return {
        kind: "sequence_length",
        from: String(from),
        to: String(sequenceLength),
        cost: "shorter_memory",
        change: to({ sequenceLength }),
      }
    }),
    halves(train.rank, leastRank).map((rank): Candidate => {
      return { kind: "rank", from: String(train.rank), to: String(rank), cost: "quality", change: to({ rank }) }
    }),
  ]
}

const eightBit: Partial<Record<PlanOptimizer, PlanOptimizer>> = {
  adamw: "adamw8bit",
  "paged-adamw": "paged-adamw8bit",
  lion: "lion8bit",
}

/** Formats that take less, the least loss first. */
const smallerFormats: Partial<Record<Format, QuantizedFormat[]>> = {
  fp32: ["int8", "nf4", "nf4-dq"],
  fp16: ["int8", "nf4", "nf4-dq"],
  bf16: ["int8", "nf4", "nf4-dq"],
  int8: ["nf4", "nf4-dq"],
  nf4: ["nf4-dq"],
  fp4: ["fp4-dq"],
}

function weightSeries({ embeddings }: PlanRequest, { format }: PlanRow): Candidate[][] {
  const formats = (smallerFormats[format] ?? []).map(
    (smaller): Candidate => ({ kind: "format", from: format, to: smaller, cost: "quality", change: { format: smaller } }),
  )
  const tables = embeddings === undefined ? (["int8", "nf4-dq"] as const) : embeddings === "int8" ? (["nf4-dq"] as const) : []
  // Of a model that stays in 16 bits nothing is quantized.
  const isQuantized = /^(int8|nf4|fp4)/.test(format)
  const inBits = (isQuantized ? tables : []).map((table): Candidate => {
    return { kind: "embeddings", from: embeddings ?? "16-bit", to: table, cost: "quality", change: { embeddings: table } }
  })
  return [formats, inBits]
}

/** n/2, n/4 … as whole numbers, down to `least`. */
function halves(n: number, least: number): number[] {
  const list: number[] = []
  for (let half = Math.floor(n / 2); half >= least; half = Math.floor(half / 2)) list.push(half)
  return list
}

/** Layers where they fit instead of where they are: the same bytes, more slowly. */
async function movedLayers(question: FitQuestion): Promise<FitChange | null> {
  const { request, row, devices, ask, speedOf } = question
  const [first] = devices
  if (!first || devices.length < 2) return null
  const after = request.deviceMap === "auto" ? row : await ask({ deviceMap: "auto" })
  if (after?.verdict !== "partly") return null
  const [onDisk, onFirst] = [layersOn(after, "disk"), layersOn(after, first.name)]
  const isToDisk = onDisk > 0
  const before = request.deviceMap === "auto" ? 0 : layersOn(row, isToDisk ? "disk" : "cpu")
  const there = isToDisk ? onDisk : layersOn(after, "cpu")
  if (there <= before || (first.name === "cpu" && !isToDisk)) return null
  const used = after.devices.find(({ name }) => name === first.name)?.used_bytes ?? 0
  const allBytes = first.kind === "gpu" ? after.total_bytes - after.parts.context : after.total_bytes
  return {
    kind: isToDisk ? "layers_to_disk" : "layers_to_cpu",
    from: String(before),
    to: String(there),
    savesBytes: allBytes - used,
    fitsAfter: true,
    spareBytes: first.usableBytes - used,
    cost: "speed",
    speedBefore: onFirst > 0 ? speedOf(row) : null,
    speedAfter: speedOf(after),
    change: { deviceMap: after.device_map },
  }
}
