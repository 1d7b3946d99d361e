// Memory: what is, measured, by owner. What if stands beside it as soon as main's planner answers.
import { WhatIs } from "./what-is.tsx"

export function MemoryPage() {
  return (
    <div className="mx-auto max-w-[720px]">
      <WhatIs />
    </div>
  )
}
