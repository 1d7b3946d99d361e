// Plans of memory: the engine computes them ("plan.rows" of its contract); what the page and the command line ask is refused by name until
// this service is complete.
import type { AppContract } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import { AppError } from "../../shared/schema/error.ts"
import type { SpeedProfile } from "../../shared/schema/plan.ts"

const refuse = (): never => {
  throw new AppError("unsupported", "Plans are not shown by this version of Nibble yet.")
}

export interface PlanService {
  speed(): SpeedProfile | null
  handlers: Pick<Handlers<AppContract>, "plan.rows" | "plan.fit" | "plan.computers" | "plan.capacity" | "plan.benchmark">
}

export function createPlan(): PlanService {
  return {
    speed: () => null,
    handlers: { "plan.rows": refuse, "plan.fit": refuse, "plan.computers": refuse, "plan.capacity": refuse, "plan.benchmark": refuse },
  }
}
