// A plan in words: a table of formats, the one that is recommended and why, its parts with what each is and what changes it.
import type { Format } from "../../shared/schema/format.ts"
import {
  type FitChange,
  type MemoryOwner,
  memoryOwners,
  type PlanAdvice,
  type PlanChoice,
  type PlanDevice,
  type PlanReport,
  type PlanVerdict,
} from "../../shared/schema/plan.ts"
import { bytes } from "../sizes.ts"
import { adviceSentence } from "./plan-advice-text.ts"
import { columns, parameters, rate } from "./quantities.ts"

export const verdicts: Record<PlanVerdict, string> = { fits: "fits", tight: "tight", partly: "in parts", too_big: "too big" }

export interface PlanText {
  name: string
  mode: "chat" | "train"
  report: PlanReport
  /** The row that is looked at closely. */
  row: PlanChoice
  fit: readonly FitChange[]
  advice: readonly PlanAdvice[]
  /** Of training, where that is planned. */
  sequenceLength: number
}

export function planText(plan: PlanText): string {
  const { report, row, fit, advice } = plan
  const blocks = [
    heading(plan),
    rowTable(report, plan.mode),
    reasonSentence(report),
    `${row.format} in parts:\n${partTable(row)}`,
    placeTable(row, report.devices),
  ]
  if (fit.length > 0) blocks.push(`To make it fit:\n${fitTable(fit)}`)
  if (advice.length > 0) blocks.push(advice.map((one) => `- ${adviceSentence(one)}`).join("\n"))
  return blocks.join("\n\n")
}

function heading({ name, mode, report, row, sequenceLength }: PlanText): string {
  const use = mode === "chat" ? `a chat of ${count(row.context)} tokens` : `training on sequences of ${count(sequenceLength)} tokens`
  const devices = report.devices.map(
    ({ name: device, kind, label, usableBytes }) => `${deviceTitle(device, kind, label)}, ${bytes(usableBytes)} usable`,
  )
  return `${name}, ${parameters(report.parameters)} parameters, ${report.layers} layers: ${use}\n${devices.join("\n")}`
}

function rowTable({ rows, recommendation }: PlanReport, mode: "chat" | "train"): string {
  const isSpeedKnown = rows.some(({ speed }) => speed !== null)
  const head = [
    "",
    "format",
    "on disk",
    "memory",
    "",
    ...(mode === "chat" ? ["to train", ""] : ["trainable"]),
    ...(isSpeedKnown ? ["tokens/s"] : []),
    "same next token",
  ]
  const body = rows.map(({ format, disk_bytes, total_bytes, verdict, train, speed, quality, trainable_parameters }) => [
    format === recommendation.format ? ">" : "",
    format,
    bytes(disk_bytes),
    bytes(total_bytes),
    verdicts[verdict],
    ...(mode === "chat"
      ? [train ? bytes(train.total_bytes) : "-", train ? verdicts[train.verdict] : ""]
      : [parameters(trainable_parameters)]),
    ...(isSpeedKnown ? [speed ? `${speed.basis === "bandwidth" ? "< " : ""}${rate(speed.tokensPerS)}` : "-"] : []),
    qualityText(quality),
  ])
  return columns([head, ...body], mode === "chat" ? [2, 3, 5, 7] : [2, 3, 5, 6])
}

function qualityText(quality: PlanChoice["quality"]): string {
  if (!quality) return "-"
  if (quality.basis === "reference") return "the reference"
  return `${(quality.sameTopToken * 100).toFixed(1)} %, ${quality.basis}`
}

function reasonSentence({ rows, recommendation: { format, reason, spareBytes } }: PlanReport): string {
  const [left, missing] = [bytes(Math.max(0, spareBytes)), bytes(Math.max(0, -spareBytes))]
  if (rows.length === 1) return onlyRowSentence(format, rows[0]?.verdict ?? "too_big", left, missing)
  const sentences: Record<PlanReport["recommendation"]["reason"], string> = {
    best_that_fits: `Recommended: ${format}, the best quality that fits; ${left} stay free.`,
    room_to_train: `Recommended: ${format}, the best quality that leaves room to fine-tune the model too; ${left} stay free.`,
    only_one_that_fits: `Recommended: ${format}, the only one that fits; ${left} stay free.`,
    smallest: `Recommended: ${format}, the smallest; ${spareBytes >= 0 ? `${left} stay free, which is little` : `${missing} of it lie where they are slower`}.`,
    nothing_fits: `Nothing fits: even ${format}, the smallest, needs ${missing} more.`,
  }
  return sentences[reason]
}

/** Where nothing else was asked for there is nothing to recommend. */
function onlyRowSentence(format: Format, verdict: PlanVerdict, left: string, missing: string): string {
  if (verdict === "too_big") return `${format} does not fit: it needs ${missing} more.`
  if (verdict === "partly") return `${format} runs, but ${missing} of it lie where they are slower.`
  return `${format} fits; ${left} stay free${verdict === "tight" ? ", which is little" : ""}.`
}

/** What it is, and what changes it. */
const explanations: Record<MemoryOwner, [string, string]> = {
  weights: ["codes of the linear layers, in the format of the row", "--format"],
  scales: ["one scale for each block or row of codes", "--format …-dq, --block-size"],
  unquantized: ["embeddings, head and norms, which stay in 16 bits", "--embeddings, --skip-modules"],
  kv: ["keys and values of the tokens of the context, in fp16", "--context"],
  activations: ["what passes between the layers; in training also what is saved for the way back", "--batch, --sequence-length"],
  logits: ["a number for each token of the vocabulary", "--batch, --sequence-length"],
  lora: ["the adapter that is trained", "--rank, --targets"],
  gradients: ["one number for each number of the adapter", "--rank, --targets"],
  optimizer: ["moments of each number of the adapter", "--optimizer, --rank"],
  scratch: ["work space of the products", "--threads"],
  context: ["the program itself, and what a driver takes", ""],
}

function partTable({ parts, total_bytes }: PlanChoice): string {
  const used = memoryOwners.filter((owner) => parts[owner] > 0)
  const rows = used.map((owner) => [
    `  ${owner}`,
    bytes(parts[owner]),
    explanations[owner].filter((text) => text !== "").join("; change it with "),
  ])
  return columns([...rows, ["  together", bytes(total_bytes), ""]], [1])
}

/** Which layers lie where, and what that takes of each device. */
function placeTable({ device_map: map, devices }: PlanChoice, all: readonly PlanDevice[]): string {
  const rows = devices
    .filter(({ used_bytes }) => used_bytes > 0)
    .map(({ name, kind, used_bytes, free_bytes }) => {
      const modules = Object.entries(map).flatMap(([module, device]) => (device === name ? [module] : []))
      const label = all.find((device) => device.name === name)?.label ?? name
      const left = free_bytes < 0 ? `${bytes(-free_bytes)} too much` : `${bytes(free_bytes)} left`
      return [`  ${deviceTitle(name, kind, label)}`, bytes(used_bytes), left, moduleRuns(modules)]
    })
  return columns(rows, [1, 2])
}

/** "layers 0 to 27, model.norm": runs of numbers instead of lists. */
export function moduleRuns(modules: readonly string[]): string {
  const numbers = modules.flatMap((module) => /\.(\d+)$/.exec(module)?.slice(1).map(Number) ?? []).sort((a, b) => a - b)
  const others = modules.filter((module) => !/\.\d+$/.test(module))
  const runs: [number, number][] = []
  for (const number of numbers) {
    const last = runs.at(-1)
    if (last && number === last[1] + 1) last[1] = number
    else runs.push([number, number])
  }
  const layers = runs.map(([from, to]) => (from === to ? String(from) : `${from} to ${to}`)).join(", ")
  return [layers && `layers ${layers}`, ...others].filter((text) => text !== "").join(", ")
}

const changeNames: Record<FitChange["kind"], string> = {
  context: "context",
  format: "format",
  embeddings: "embeddings",
  layers_to_cpu: "layers in memory",
  layers_to_disk: "layers on the disk",
  optimizer: "optimizer",
  checkpointing: "gradient checkpointing",
  sequence_length: "sequence length",
  batch_size: "batch",
  rank: "rank",
}

const costs: Record<FitChange["cost"], string> = { none: "", shorter_memory: "sees less text", quality: "less accurate", speed: "slower" }

function fitTable(fit: readonly FitChange[]): string {
  return columns(
    fit.map(({ kind, from, to, savesBytes, fitsAfter, spareBytes, cost, speedBefore, speedAfter }) => {
      const isOther = speedBefore !== null && speedAfter !== null && Math.abs(speedAfter / speedBefore - 1) > 0.02
      const speed = isOther ? `${rate(speedBefore)} to ${rate(speedAfter)} tokens/s` : ""
      const result = fitsAfter ? `fits, ${bytes(Math.max(0, spareBytes))} left` : `still ${bytes(Math.max(0, -spareBytes))} too much`
      return [
        `  ${changeNames[kind]} ${from} to ${to}`,
        `saves ${bytes(savesBytes)}`,
        result,
        [costs[cost], speed].filter(Boolean).join(", "),
      ]
    }),
  )
}

function deviceTitle(name: string, kind: PlanDevice["kind"], label: string): string {
  return kind === "gpu" ? `gpu${name} (${label})` : name
}

function count(n: number): string {
  return n.toLocaleString("en-US")
}

export function chosenFormat(report: PlanReport, wanted: Format | undefined): PlanChoice {
  const format = wanted ?? report.recommendation.format
  return (report.rows.find((row) => row.format === format) ?? report.rows[0]) as PlanChoice
}
