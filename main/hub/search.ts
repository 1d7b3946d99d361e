// Search on the hub: its answers as lines of a list, filtered by what only we know, in pages.
import { listModels } from "@huggingface/hub"
import { AppError, toErrorData } from "../../shared/schema/error.ts"
import type { HubModelSummary, HubPage, HubQuery } from "../../shared/schema/hub.ts"
import { bearer, type Hub } from "./hub.ts"
import { type Estimate, HubModelInfo, summaryOf } from "./model-info.ts"
import { refusal, TryAgain } from "./refusal.ts"
import { readBytes, request } from "./request.ts"

const page_models = 24
/** Looked at for one page; filters that match nothing end there. */
const most_looked = 240
/** The hub is asked for so many at once. */
const asked_models = 60
const longest_bytes = 32 << 20
const answer_ms = 15_000
/** Searches whose next page can be asked for. */
const open_searches = 16

const sorts = { downloads: "downloads", likes: "likes", updated: "lastModified", trending: "trendingScore" } as const

interface OpenSearch {
  key: string
  models: AsyncGenerator<HubModelInfo>
  signal: { current: AbortSignal }
}

export interface Search {
  find(hub: Hub, query: HubQuery, signal: AbortSignal): Promise<HubPage>
}

export function createSearch(estimate: Estimate): Search {
  const open = new Map<string, OpenSearch>()
  let count = 0

  function take(hub: Hub, query: HubQuery, signal: AbortSignal): OpenSearch {
    const { cursor, ...rest } = query
    const key = JSON.stringify([hub.endpoint, rest])
    if (cursor === undefined) {
      const holder = { current: signal }
      return { key, models: modelsOf(hub, query, holder), signal: holder }
    }
    const found = open.get(cursor)
    open.delete(cursor)
    if (found?.key === key) {
      found.signal.current = signal
      return found
    }
    throw new AppError("not_found", "This search was begun too long ago to go on with.", "Search again.")
  }

  return {
    async find(hub, query, signal) {
      const search = take(hub, query, signal)
      const models: HubModelSummary[] = []
      let isOver = false
      for (let looked = 0; models.length < page_models && looked < most_looked; looked++) {
        const next = await search.models.next()
        if (next.done) {
          isOver = true
          break
        }
        const summary = summaryOf(next.value, estimate)
        if (matches(summary, query)) models.push(summary)
      }
      if (isOver) return { models, cursor: null, endpoint: hub.endpoint }
      const cursor = String(++count)
      open.set(cursor, search)
      for (const old of [...open.keys()].slice(0, -open_searches)) open.delete(old)
      return { models, cursor, endpoint: hub.endpoint }
    },
  }
}

function matches(model: HubModelSummary, query: HubQuery): boolean {
  if (query.isSupportedOnly && !model.supported) return false
  if (query.isFittingOnly && (model.verdict === null || model.verdict === "too_big")) return false
  const { parameters } = model
  if (query.minParameters > 0 && (parameters === null || parameters < query.minParameters)) return false
  return query.maxParameters === 0 || (parameters !== null && parameters <= query.maxParameters)
}

async function* modelsOf(hub: Hub, query: HubQuery, signal: { current: AbortSignal }): AsyncGenerator<HubModelInfo> {
  const fields = ["config", "safetensors", "cardData", "tags", "filePaths"] as const
  const found = listModels({
    search: {
      ...(query.text.trim() ? { query: query.text.trim() } : {}),
      task: "text-generation",
      ...(query.license ? { tags: [`license:${query.license}`] } : {}),
    },
    sort: sorts[query.sort],
    hubUrl: hub.endpoint,
    // "gguf" is a field of the hub that the library does not know.
    additionalFields: [...fields, "gguf" as "config"],
    // The token is added there: the library takes only some.
    fetch: fetchOver(hub, signal),
  })
  try {
    for await (const entry of found) {
      const { name, updatedAt, filePaths, ...rest } = entry
      const siblings = filePaths.map((rfilename) => ({ rfilename }))
      const lastModified = Number.isNaN(updatedAt.getTime()) ? undefined : updatedAt.toISOString()
      const parsed = HubModelInfo.safeParse({ ...rest, id: name, lastModified, ...(siblings.length > 0 ? { siblings } : {}) })
      // A model that cannot be named cannot be got.
      if (parsed.success) yield parsed.data
    }
  } catch (thrown) {
    if (thrown instanceof AppError || toErrorData(thrown).code === "cancelled") throw thrown
    throw new AppError("network", `${new URL(hub.endpoint).host} answered in a form that is not known.`, "Check the hub's address.", {
      cause: thrown,
    })
  }
}

/** The library's requests on our way: through the proxy, in bounded pages, without the token on other origins. */
function fetchOver(hub: Hub, signal: { current: AbortSignal }): typeof fetch {
  return async (address) => {
    const url = new URL(String(address))
    if (Number(url.searchParams.get("limit")) > asked_models) url.searchParams.set("limit", String(asked_models))
    const answer = await request(url.href, {
      authorization: bearer(hub),
      signal: signal.current,
      headers_ms: answer_ms,
      network: hub.network,
    })
    const { response, host, abort } = answer
    if (response.status !== 200) {
      abort()
      const refused = refusal(response, `The list of models of ${host}`)
      throw refused instanceof TryAgain ? refused.error : refused
    }
    const link = response.headers.get("link")
    const body = await readBytes(answer, longest_bytes)
    return new Response(new Uint8Array(body), { headers: { "content-type": "application/json", ...(link ? { link } : {}) } })
  }
}
