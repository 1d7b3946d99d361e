import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { z } from "zod"
import { Shell } from "./app/shell.tsx"
import { start } from "./app/start.ts"
import "./ui/theme.css"

// zod would try `new Function`, which the content policy forbids and reports.
z.config({ jitless: true })

start()
const root = document.getElementById("root")
if (!root) throw new Error("index.html has no #root")
createRoot(root).render(
  <StrictMode>
    <Shell />
  </StrictMode>,
)
