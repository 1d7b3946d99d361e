// One model of the hub: what it is, its files, and its headers in a folder, so that everything here can be planned without downloading it.
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { toErrorData } from "../../shared/schema/error.ts"
import type { HubModel } from "../../shared/schema/hub.ts"
import type { ModelInspection } from "../../shared/schema/model.ts"
import { ggufName, ggufPartPaths } from "../models/gguf-parts.ts"
import { inspectModel } from "../models/inspect.ts"
import { folderNameFor } from "../storage/model-folders.ts"
import { requireModelAddress } from "./address.ts"
import { cachedFile } from "./cache.ts"
import { manifestName } from "./download-manifest.ts"
import { fetchHeaders } from "./headers.ts"
import { askAbout, companionFiles, downloadFiles, type Hub, type HubFile, listFiles, modelFiles, type Repository } from "./hub.ts"
import { type Estimate, HubModelInfo, summaryOf } from "./model-info.ts"

export interface ModelPageOptions {
  hub: Hub
  /** What people write: a name, or an address. */
  wanted: string
  /** Of a repository of GGUF files; absent: the file that the address names, or the usual one. */
  variant: string | undefined
  /** Where folders of headers are kept. */
  folder: string
  /** The Hugging Face cache; null: not used. */
  cache: string | null
  estimate: Estimate
  signal: AbortSignal
}

const longestCard = 256 << 10

export async function readModelPage(options: ModelPageOptions): Promise<HubModel> {
  const { hub, wanted, estimate, signal } = options
  const { name, revision: branch, file } = requireModelAddress(wanted, hub.endpoint)
  const pageUrl = `${hub.endpoint}/${name}`
  const info = await askAbout(hub, name, branch, HubModelInfo, signal).catch((thrown) => refusedInfo(thrown, name))
  if (info.sha === undefined) return closedPage(info, pageUrl, estimate)
  const repository = await listFiles(hub, name, info.sha, signal)
  const files = repository.files.map(({ name: rfilename }) => ({ rfilename }))
  const summary = summaryOf({ ...info, siblings: files }, estimate)
  const license = info.cardData?.license_link
  const about = {
    ...{ revision: info.sha, pageUrl },
    licenseUrl: license && URL.canParse(license) && /^https?:/.test(license) ? license : summary.access === "gated" ? pageUrl : null,
  }
  const variants = summary.kind === "gguf" ? variantsOf(repository) : []
  const variant = summary.kind === "gguf" ? chooseVariant(variants, options.variant ?? file) : null
  const nothing = { files: [], headers: null, inspection: null, card: "", variants, variant }
  if (summary.kind === "other" || (summary.kind === "gguf" && variant === null)) return { summary, ...about, ...nothing }
  try {
    const chosen = variant === null ? modelFiles(repository) : variantFiles(repository, variant)
    const { path, inspection, card } = await headersOf(options, repository, chosen, variant)
    return {
      summary: corrected(summary, inspection),
      ...about,
      files: await Promise.all(chosen.map((one) => fileInfo(options.cache, repository, one))),
      ...{ variants, variant, headers: path, inspection, card },
    }
  } catch (thrown) {
    const error = toErrorData(thrown)
    if (error.code !== "no_permission" && error.code !== "unsupported") throw thrown
    const reason = error.code === "no_permission" ? error.message : [error.message, error.hint].filter(Boolean).join(" ")
    return { summary: { ...summary, supported: false, reason }, ...about, ...nothing }
  }
}

/** A model that the hub does not even describe without the right token. */
function refusedInfo(thrown: unknown, name: string): HubModelInfo & { reason?: string } {
  const error = toErrorData(thrown)
  if (error.code !== "no_permission") throw thrown
  return { id: name, private: true, reason: error.message }
}

function closedPage(info: HubModelInfo & { reason?: string }, pageUrl: string, estimate: Estimate): HubModel {
  const summary = { ...summaryOf(info, estimate), supported: false, reason: info.reason ?? `${info.id} has no commit to be read.` }
  return {
    summary,
    revision: "",
    files: [],
    variants: [],
    variant: null,
    headers: null,
    inspection: null,
    card: "",
    pageUrl,
    licenseUrl: null,
  }
}

/** Its headers know better than the list. */
function corrected(summary: HubModel["summary"], inspection: ModelInspection): HubModel["summary"] {
  const { architecture, parameters, context_length, supported, can_be_quantized, reason } = inspection
  return {
    ...summary,
    architecture,
    parameters: parameters || summary.parameters,
    context: context_length || summary.context,
    // What cannot run is worth having where it can be quantized.
    supported: supported || can_be_quantized,
    reason: supported || can_be_quantized ? null : reason,
  }
}

async function fileInfo(cache: string | null, repository: Repository, file: HubFile): Promise<HubModel["files"][number]> {
  const isCached = cache !== null && (await cachedFile(cache, repository, file)) !== null
  return { name: file.name, bytes: file.bytes, algorithm: file.digest.algorithm, digest: file.digest.hex, isCached }
}

/** Models in GGUF, each with all its parts. */
function variantsOf({ files }: Repository): HubModel["variants"] {
  const bytes = new Map<string, number>()
  for (const file of files) {
    // Parts of models that also see are no models of their own.
    if (!file.name.endsWith(".gguf") || /mmproj/i.test(file.name)) continue
    const name = ggufName(file.name)
    bytes.set(name, (bytes.get(name) ?? 0) + file.bytes)
  }
  return [...bytes].map(([name, sum]) => ({ name, bytes: sum })).sort((a, b) => a.bytes - b.bytes)
}

/** As asked for; else the one that people take most, else the largest. */
function chooseVariant(variants: HubModel["variants"], wanted: string | null): string | null {
  const asked = wanted === null ? undefined : variants.find(({ name }) => name === ggufName(wanted))
  return (asked ?? variants.find(({ name }) => /q4_k_m/i.test(name)) ?? variants.at(-1))?.name ?? null
}

function variantFiles(repository: Repository, variant: string): HubFile[] {
  const parts = repository.files.filter((file) => file.name.endsWith(".gguf") && ggufName(file.name) === variant)
  return [...parts, ...repository.files.filter(({ name }) => /^(README\.md|LICENSE.*)$/.test(name))]
}

async function headersOf(
  options: ModelPageOptions,
  repository: Repository,
  files: HubFile[],
  variant: string | null,
): Promise<{ path: string; inspection: ModelInspection; card: string }> {
  const { hub, folder, signal } = options
  const label = `${repository.name}@${repository.revision.slice(0, 12)}${variant === null ? "" : `-${variant}`}`
  const kept = join(folder, folderNameFor(label))
  const weights = files.filter(({ name }) => /\.(safetensors|gguf)$/.test(name))
  if (!(await stat(kept).catch(() => null))) {
    const making = `${kept}.${process.pid}.new`
    await rm(making, { recursive: true, force: true })
    await mkdir(making, { recursive: true })
    try {
      const small = variant === null ? companionFiles({ files }) : files.filter((file) => !weights.includes(file))
      await downloadFiles(hub, repository, { files: small, folder: making, signal, onProgress: () => {} })
      await rm(join(making, manifestName), { force: true })
      await fetchHeaders(hub, repository, { weights, folder: making, signal })
      await rename(making, kept).catch(async (thrown) => {
        // Asked for twice at once: the other one is as good.
        if (!(await stat(kept).catch(() => null))) throw thrown
      })
    } finally {
      await rm(making, { recursive: true, force: true })
    }
  }
  const path = variant === null ? kept : (ggufPartPaths(join(kept, weights[0]?.name ?? ""))[0] as string)
  const inspection = await inspectModel(path)
  const name = variant ?? repository.name.slice(repository.name.indexOf("/") + 1)
  return { path, inspection: { ...inspection, name }, card: cardText(await readFile(join(kept, "README.md"), "utf8").catch(() => "")) }
}

/** Without the front matter. */
function cardText(text: string): string {
  const card = text.replace(/^\uFEFF?---\r?\n[\s\S]*?\r?\n---\r?\n?/, "")
  return card.length > longestCard ? `${card.slice(0, longestCard)}…` : card
}
