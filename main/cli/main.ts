// Entry of the command line: runs the command and turns whatever comes of it into output and an exit code.
import { createInterrupt } from "./interrupt.ts"
import { reportFailure } from "./report-failure.ts"
import { runCommand } from "./run-command.ts"

const args = process.argv.slice(2)
const interrupt = createInterrupt()
let exitCode: number
try {
  await runCommand(args, interrupt.signal)
  exitCode = process.exitCode === undefined ? 0 : Number(process.exitCode)
} catch (thrown) {
  exitCode = await reportFailure(thrown, { isJson: args.includes("--json"), isVerbose: args.includes("--verbose") || args.includes("-v") })
}
// What was written must be out before the process ends; where nobody reads any more there is nothing to wait for.
await new Promise<void>((resolve) => {
  process.stdout.once("error", () => resolve())
  process.stdout.write("", () => resolve())
})
process.exit(exitCode)
