// npm run check: what a developer runs before a commit. Structure, types, lint, format, native build without warnings, quick tests.
import { checkStages, runStages } from "./stages.mjs"

process.exitCode = (await runStages(checkStages)) ? 1 : 0
