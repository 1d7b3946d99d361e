import { expect, it } from "vitest"
import { createPlan } from "../../../main/services/plan.ts"

it("refuses by name what it cannot do yet", () => {
  const { handlers, speed } = createPlan()
  expect(speed()).toBeNull()
  const context = { signal: new AbortController().signal, emit: async () => {} }
  expect(() => handlers["plan.computers"](undefined, context)).toThrow(/not shown by this version/)
})
