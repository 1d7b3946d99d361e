// Being built.
import type { AppContract } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import { AppError } from "../../shared/schema/error.ts"

const notYet = (): never => {
  throw new AppError("unsupported", "This is being built.")
}

export interface StorageService {
  handlers: Pick<Handlers<AppContract>, "storage.report" | "storage.clean">
}

export function createStorage(): StorageService {
  return {
    handlers: { "storage.report": notYet, "storage.clean": notYet },
  }
}
