// Models on the hub as the page and the command line see them, and the account that they are got with.
import { join } from "node:path"
import type { AppContract } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import { toErrorData } from "../../shared/schema/error.ts"
import type { HubAccount } from "../../shared/schema/hub.ts"
import { openAccount } from "../hub/account.ts"
import { environmentHub, type Hub, hubAddress } from "../hub/hub.ts"
import type { Estimate } from "../hub/model-info.ts"
import { readModelPage } from "../hub/model-page.ts"
import type { Network } from "../hub/network.ts"
import { createSearch } from "../hub/search.ts"
import type { DataPaths } from "../storage/paths.ts"
import type { SecretStore } from "../storage/secret-store.ts"
import type { Events } from "./events.ts"
import type { SettingsService } from "./settings.ts"

export interface HubService {
  account(): HubAccount
  /** The hub in use, with the token that may be sent to it. Throws bad_input where its address is none. */
  current(): Hub
  handlers: Pick<Handlers<AppContract>, "hub.search" | "hub.model" | "hub.setToken">
}

export interface HubServiceOptions {
  paths: DataPaths
  settings: SettingsService
  events: Events
  network: Network
  env: Record<string, string | undefined>
  secrets: SecretStore
  estimate: Estimate
  /** The Hugging Face cache; null: not used. */
  cache(): string | null
  warn(sentence: string): void
}

export async function createHub(options: HubServiceOptions): Promise<HubService> {
  const { paths, settings, events, network, env, secrets, estimate, cache, warn } = options
  const account = await openAccount({ store: secrets, env, network, warn })
  const search = createSearch(estimate)
  const headers = join(paths.downloads, "headers")

  const current = () => account.at(hubAddress(settings.get().hubEndpoint, env))

  function shown(): HubAccount {
    try {
      return account.shown(hubAddress(settings.get().hubEndpoint, env))
    } catch (thrown) {
      warn(toErrorData(thrown).message)
      return { endpoint: environmentHub(env), token: null, name: null }
    }
  }

  let endpoint = shown().endpoint
  events.subscribe((event) => {
    if (event.type !== "settings") return
    const next = shown()
    if (next.endpoint === endpoint) return
    endpoint = next.endpoint
    events.emit({ type: "hub", hub: next })
  })

  return {
    account: shown,
    current,
    handlers: {
      "hub.search": (query, { signal }) => search.find(current(), query, signal),
      "hub.model": ({ name, variant }, { signal }) =>
        readModelPage({ hub: current(), wanted: name, variant, folder: headers, cache: cache(), estimate, signal }),
      async "hub.setToken"({ token }, { signal }) {
        await account.set(current().endpoint, token, signal)
        const next = shown()
        events.emit({ type: "hub", hub: next })
        return next
      },
    },
  }
}
