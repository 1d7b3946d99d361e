// Being built.
import type { AppContract } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import type { Addition } from "../../shared/schema/addition.ts"
import { AppError } from "../../shared/schema/error.ts"

const notYet = (): never => {
  throw new AppError("unsupported", "This is being built.")
}

export interface AdditionsService {
  list(): Addition[]
  handlers: Pick<
    Handlers<AppContract>,
    | "additions.create"
    | "additions.update"
    | "additions.start"
    | "additions.pause"
    | "additions.back"
    | "additions.remove"
    | "additions.tensors"
  >
}

export function createAdditions(): AdditionsService {
  return {
    list: () => [],
    handlers: {
      "additions.create": notYet,
      "additions.update": notYet,
      "additions.start": notYet,
      "additions.pause": notYet,
      "additions.back": notYet,
      "additions.remove": notYet,
      "additions.tensors": notYet,
    },
  }
}
