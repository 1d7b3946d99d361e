// Memory: what is, measured, and what if, predicted, side by side; below them how good predictions have been, and what would run here.
import { useEffect } from "react"
import { AccuracySection } from "./accuracy-section.tsx"
import { enter } from "./actions.ts"
import { CapacitySection } from "./capacity-section.tsx"
import { WhatIf } from "./what-if.tsx"
import { WhatIs } from "./what-is.tsx"

export function MemoryPage() {
  useEffect(enter, [])
  return (
    <>
      <div className="grid grid-cols-[minmax(0,5fr)_minmax(0,7fr)] max-md:grid-cols-[minmax(0,1fr)]">
        <WhatIs />
        <WhatIf />
      </div>
      <AccuracySection />
      <CapacitySection />
    </>
  )
}
