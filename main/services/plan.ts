// Being built.
import type { AppContract } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import { AppError } from "../../shared/schema/error.ts"
import type { SpeedProfile } from "../../shared/schema/plan.ts"

const notYet = (): never => {
  throw new AppError("unsupported", "This is being built.")
}

export interface PlanService {
  speed(): SpeedProfile | null
  handlers: Pick<Handlers<AppContract>, "plan.rows" | "plan.fit" | "plan.computers" | "plan.capacity" | "plan.benchmark">
}

export function createPlan(): PlanService {
  return {
    speed: () => null,
    handlers: { "plan.rows": notYet, "plan.fit": notYet, "plan.computers": notYet, "plan.capacity": notYet, "plan.benchmark": notYet },
  }
}
