// npm run -s cli -- COMMAND …: the command line of the built program. Sets the checkout up first where that is needed; everything
// about that goes to standard error.
import { cliBundle, pinnedNode } from "./places.mjs"
import { fail, runInForeground } from "./progress.mjs"
import { setUp } from "./setup.mjs"

try {
  await setUp()
  process.exitCode = await runInForeground(pinnedNode, [cliBundle, ...process.argv.slice(2)])
} catch (error) {
  fail(error)
}
