// Being built.
import type { AppContract } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import { AppError } from "../../shared/schema/error.ts"
import type { HubAccount } from "../../shared/schema/hub.ts"

const notYet = (): never => {
  throw new AppError("unsupported", "This is being built.")
}

export interface HubService {
  account(): HubAccount
  handlers: Pick<Handlers<AppContract>, "hub.search" | "hub.model" | "hub.setToken">
}

export function createHub(): HubService {
  return {
    account: () => ({ endpoint: "", token: null, name: null }),
    handlers: { "hub.search": notYet, "hub.model": notYet, "hub.setToken": notYet },
  }
}
