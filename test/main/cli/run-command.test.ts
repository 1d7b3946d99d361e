// Words that mean nothing are refused before anything is done, with what would do.
import { expect, it } from "vitest"
import { runCommand } from "../../../main/cli/run-command.ts"
import { UsageError } from "../../../main/cli/usage-error.ts"

it.each([
  [["bogus"], 'There is no command "bogus".'],
  [["genrate", "x"], "Did you mean generate?"],
  [["models"], "There are: list, show, pull, import, rm."],
  [["models", "lst"], "Did you mean list?"],
  [["inspect"], "MODEL is missing."],
  [["inspect", "a", "b"], '"b" is one word too many.'],
  [["inspect", "a", "--tensor"], "Did you mean --tensors?"],
  [["generate", "x", "--adapter", "y"], "There is no option --adapter."],
  [["generate", "x", "--prompt", "a", "--chat", "b"], "Give one of --prompt, --chat and --tokens."],
  [["generate", "x", "--prompt", "a", "--system", "b"], "--system goes with --chat only."],
  [["quantize", "x", "--format", "nf4"], "--out is missing."],
  [["quantize", "x", "--out", "y", "--format", "bf16"], '--format cannot be "bf16".'],
  [["tokenize", "x"], "Give one of --text, --text-file and --decode."],
  [["models", "pull", "no name"], '"no name" is no name of a model to get.'],
])("%j is wrong usage", async (args, message) => {
  const thrown = await runCommand(args, new AbortController().signal).catch((error: unknown) => error)
  expect(thrown).toBeInstanceOf(UsageError)
  const { message: said, hint } = thrown as UsageError
  expect(`${said} ${hint}`).toContain(message)
})
