// The computers that can be planned for: asked once.
import { useEffect, useState } from "react"
import type { PlanComputer } from "../../../shared/schema/plan.ts"
import { client } from "../../lib/client.ts"

let asked: Promise<PlanComputer[]> | null = null

export function useComputers(): PlanComputer[] {
  const [computers, setComputers] = useState<PlanComputer[]>([])
  useEffect(() => {
    asked ??= client["plan.computers"](undefined).catch(() => {
      // This computer can be planned for all the same; the next time asks again.
      asked = null
      return []
    })
    void asked.then(setComputers)
  }, [])
  return computers
}
