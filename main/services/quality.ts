// Being built.
import type { AppContract } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import { AppError } from "../../shared/schema/error.ts"

const notYet = (): never => {
  throw new AppError("unsupported", "This is being built.")
}

export interface QualityService {
  handlers: Pick<Handlers<AppContract>, "quality.measure">
}

export function createQuality(): QualityService {
  return {
    handlers: { "quality.measure": notYet },
  }
}
