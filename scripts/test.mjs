// npm test: everything of `npm run check`, the app end to end in a real browser, and the native suite under sanitizers. The last line is
// the sum over all runners: N passed, N failed, N skipped.
import { runStages, testStages } from "./stages.mjs"

process.exitCode = (await runStages(testStages)) ? 1 : 0
