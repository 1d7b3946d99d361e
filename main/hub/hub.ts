// The model hub: what files a repository has, and bringing those of a model here, each checked by the hash that the hub names.
import { z } from "zod"
import { AppError } from "../../shared/schema/error.ts"
import type { ExpectedDigest } from "./digest.ts"
import type { SetProgress } from "./download-report.ts"
import { type DownloadSetRequest, downloadSet, type SetFile } from "./download-set.ts"
import { type Network, usualNetwork } from "./network.ts"
import { refusal, TryAgain } from "./refusal.ts"
import { readJson, request } from "./request.ts"

export interface Hub {
  /** Without a slash at its end. */
  endpoint: string
  /** Goes to the endpoint's origin only. */
  token: string | null
  /** Default: as the environment says. */
  network?: Network
}

export interface HubFile {
  name: string
  bytes: number
  digest: ExpectedDigest
}

export interface Repository {
  /** "organization/name" */
  name: string
  /** The commit, so that files of two versions are not mixed. */
  revision: string
  files: HubFile[]
}

const publicHub = "https://huggingface.co"

/** That an unreachable hub is noticed soon matters more than that a very slow one answers. */
const listing_ms = 5000
const longestListing_bytes = 8 << 20

type Env = Record<string, string | undefined>

/** The hub where nobody has set another: HF_ENDPOINT, or the public one. */
export function environmentHub(env: Env): string {
  return (env.HF_ENDPOINT?.trim() || publicHub).replace(/\/+$/, "")
}

/** `address`: as set by the user; empty: that of the environment. Throws bad_input for what is no web address. */
export function hubAddress(address: string, env: Env): string {
  const endpoint = address.trim().replace(/\/+$/, "") || environmentHub(env)
  if (/^https?:$/.test(URL.canParse(endpoint) ? new URL(endpoint).protocol : "")) return endpoint
  throw new AppError("bad_input", `The hub's address "${endpoint}" is no web address.`, "Correct it in the settings or in HF_ENDPOINT.")
}

/** "" for what is no address: it equals no origin. */
export function originOf(address: string): string {
  return URL.canParse(address) ? new URL(address).origin : ""
}

const Commit = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) })
const Entry = z.object({
  type: z.string(),
  path: z.string(),
  size: z.number().int().nonnegative(),
  oid: z.string(),
  lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.number().int().nonnegative() }).optional(),
})

/** The files at the top of a repository. */
export async function listRepository(hub: Hub, name: string, revision: string, signal: AbortSignal): Promise<Repository> {
  const { sha } = await askAbout(hub, name, revision, Commit, signal)
  return listFiles(hub, name, sha, signal)
}

/** What the hub says of a model, as far as `schema` knows it. */
export function askAbout<T extends z.ZodType>(
  hub: Hub,
  name: string,
  revision: string,
  schema: T,
  signal: AbortSignal,
): Promise<z.output<T>> {
  if (!/^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/.test(name))
    throw new AppError("bad_input", `"${name}" is no name of a repository.`, 'It has the form "organization/name".')
  return ask(hub, `${hub.endpoint}/api/models/${name}/revision/${encodeURIComponent(revision)}`, schema, name, signal)
}

/** `sha`: a commit. */
export async function listFiles(hub: Hub, name: string, sha: string, signal: AbortSignal): Promise<Repository> {
  const entries = await ask(hub, `${hub.endpoint}/api/models/${name}/tree/${sha}`, z.array(Entry), name, signal)
  const files = entries
    .filter((entry) => entry.type === "file" && isPlainName(entry.path))
    .map(({ path, size, oid, lfs }): HubFile => {
      if (lfs) return { name: path, bytes: lfs.size, digest: { algorithm: "sha256", hex: lfs.oid } }
      return { name: path, bytes: size, digest: { algorithm: "git-sha1", hex: oid } }
    })
  return { name, revision: sha, files }
}

/** A file name on every system: what the hub says is used as one. */
function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9_][\w.+ -]*$/.test(name) && !name.endsWith(".") && name.length <= 200
}

async function ask<T extends z.ZodType>(hub: Hub, address: string, schema: T, what: string, signal: AbortSignal): Promise<z.output<T>> {
  const answer = await request(address, { authorization: bearer(hub), signal, headers_ms: listing_ms, network: hub.network })
  const { response, host } = answer
  if (response.status !== 200) {
    await response.body?.cancel()
    const refused = refusal(response, `${what} on ${host}`)
    throw refused instanceof TryAgain ? refused.error : refused
  }
  const parsed = schema.safeParse(await readJson(answer, longestListing_bytes))
  if (!parsed.success)
    throw new AppError("network", `${host} answered about ${what} in a form that is not known.`, "Check the hub's address.")
  return parsed.data
}

export function bearer({ token }: Hub): string | null {
  return token === null ? null : `Bearer ${token}`
}

const smallFiles =
  /^(model\.safetensors\.index\.json|config\.json|generation_config\.json|tokenizer(_config)?\.json|special_tokens_map\.json|added_tokens\.json|tokenizer\.model|vocab\.json|merges\.txt|chat_template\.(jinja|json)|README\.md|LICENSE.*)$/
/** Beside these, repositories hold the same weights in the forms of other programs. */
const weightFiles = /^model(-\d+-of-\d+)?\.safetensors$/

/** All but the weights. */
export function companionFiles({ files }: Pick<Repository, "files">): HubFile[] {
  return files.filter(({ name }) => smallFiles.test(name))
}

/** The files that a model consists of. Weights that are not safetensors can run code when they are read; they are not taken. */
export function modelFiles({ name, files }: Repository): HubFile[] {
  const weights = files.filter((file) => weightFiles.test(file.name))
  // As transformers: the single file is all of the model where there is one.
  const single = weights.filter((file) => file.name === "model.safetensors")
  const needed = [...companionFiles({ files }), ...(single.length > 0 ? single : weights)]
  const has = (pattern: RegExp) => needed.some((file) => pattern.test(file.name))
  if (!has(/^config\.json$/)) throw new AppError("unsupported", `${name} has no config.json, so it is no model that can be read.`)
  if (!has(/\.safetensors$/))
    throw new AppError("unsupported", `${name} has no safetensors weights.`, "Other kinds of weights can run code when they are read.")
  return needed
}

/** Where the set fetches each of these files. */
export function filesToFetch(hub: Hub, { name, revision }: Pick<Repository, "name" | "revision">, files: HubFile[]): SetFile[] {
  return files.map((file) => ({ ...file, address: `${hub.endpoint}/${name}/resolve/${revision}/${encodeURIComponent(file.name)}` }))
}

export interface DownloadOptions extends Pick<DownloadSetRequest, "folder" | "signal" | "pace" | "onFile"> {
  files: HubFile[]
  onProgress(progress: SetProgress): void
}

/** Brings `files` into `folder`. What is there already and right is not brought again. */
export async function downloadFiles(hub: Hub, repository: Repository, options: DownloadOptions): Promise<void> {
  const { name, revision } = repository
  await downloadSet({
    ...options,
    ...{ repository: name, revision, authorization: bearer(hub), network: hub.network ?? usualNetwork() },
    files: filesToFetch(hub, repository, options.files),
  })
}
