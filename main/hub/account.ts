// The access token: whose it is, where it is kept, and to which origin it may be sent. It never leaves this process but in requests to
// that origin.
import { z } from "zod"
import { AppError } from "../../shared/schema/error.ts"
import type { HubAccount } from "../../shared/schema/hub.ts"
import type { SecretStore } from "../storage/secret-store.ts"
import { environmentHub, type Hub, originOf } from "./hub.ts"
import type { Network } from "./network.ts"
import { refusal, TryAgain } from "./refusal.ts"
import { readJson, request } from "./request.ts"

const Stored = z.object({ token: z.string().min(1).max(500), origin: z.string(), name: z.string().nullable() })
type Stored = z.infer<typeof Stored>

export interface Account {
  /** The hub at this address, with the token that may be sent to it. */
  at(endpoint: string): Hub
  shown(endpoint: string): HubAccount
  /** Asks the hub whose token it is and keeps it; one that the hub refuses is not kept. null removes the one that is kept. */
  set(endpoint: string, token: string | null, signal: AbortSignal): Promise<void>
}

const answer_ms = 10_000

export async function openAccount(options: {
  store: SecretStore
  env: Record<string, string | undefined>
  network: Network
  warn(sentence: string): void
}): Promise<Account> {
  const { store, env, network, warn } = options
  const environment = env.HF_TOKEN?.trim() || null
  let stored = await readStored(store).catch((thrown) => {
    warn(thrown instanceof AppError ? `${thrown.message} ${thrown.hint ?? ""}`.trim() : "The access token of the hub could not be read.")
    return null
  })

  /** The environment wins, as in the Python libraries; its token is for its hub. Neither goes to a mirror that was set beside it. */
  function tokenFor(endpoint: string): { token: string; place: NonNullable<HubAccount["token"]>; name: string | null } | null {
    const origin = originOf(endpoint)
    if (environment !== null && origin === originOf(environmentHub(env))) return { token: environment, place: "environment", name: null }
    return stored && stored.origin === origin ? { token: stored.token, place: store.kind, name: stored.name } : null
  }

  return {
    at: (endpoint) => ({ endpoint, token: tokenFor(endpoint)?.token ?? null, network }),
    shown(endpoint) {
      const found = tokenFor(endpoint)
      return { endpoint, token: found?.place ?? null, name: found?.name ?? null }
    },
    async set(endpoint, token, signal) {
      if (token === null) {
        await store.write(null)
        stored = null
        return
      }
      if (!/^[\x21-\x7e]+$/.test(token))
        throw new AppError("bad_input", "An access token has letters, digits and signs only, without spaces.")
      const next: Stored = { token, origin: originOf(endpoint), name: await whoAmI({ endpoint, token, network }, signal) }
      await store.write(JSON.stringify(next))
      stored = next
    },
  }
}

async function readStored(store: SecretStore): Promise<Stored | null> {
  const text = await store.read()
  if (text === null) return null
  try {
    return Stored.parse(JSON.parse(text))
  } catch {
    return null
  }
}

const WhoAmI = z.object({ name: z.string().max(200) })

async function whoAmI({ endpoint, token, network }: Hub & { token: string }, signal: AbortSignal): Promise<string> {
  const answer = await request(`${endpoint}/api/whoami-v2`, { authorization: `Bearer ${token}`, signal, headers_ms: answer_ms, network })
  const { response, host, abort } = answer
  if (response.status === 401 || response.status === 403) {
    abort()
    throw new AppError(
      "no_permission",
      `${host} does not know this access token (HTTP ${response.status}).`,
      "Copy it again from the hub's settings.",
    )
  }
  if (response.status !== 200) {
    abort()
    const refused = refusal(response, `The account on ${host}`)
    throw refused instanceof TryAgain ? refused.error : refused
  }
  const parsed = WhoAmI.safeParse(await readJson(answer, 1 << 20))
  if (!parsed.success) throw new AppError("network", `${host} did not say whose token it is.`, "Check the hub's address.")
  return parsed.data.name
}
