// What a command is. Its file declares the options and says what it does; whatever is heavy is imported when it runs.
import type { CommonValues, OptionList, Values } from "./options.ts"
import type { Output } from "./output.ts"

export interface CommandContext {
  output: Output
  /** Aborted by Ctrl+C. */
  signal: AbortSignal
}

export interface Command<L extends OptionList = OptionList> {
  /** As it is typed: "models list". */
  name: string
  summary: string
  /** What stands beside the options, in order: ["MODEL"]. All are required. */
  positionals: readonly string[]
  options: L
  /** Without the program's name. At least one. */
  examples: readonly string[]
  /** Said under the options in the help. */
  notes?: readonly string[]
  /** Returns what --json prints; null: nothing. Human text goes out through `output` while it runs. */
  run(values: Values<L> & CommonValues, positionals: string[], context: CommandContext): Promise<object | null>
}

/** Ties the type of `values` to the declared options. */
export function defineCommand<const L extends OptionList>(command: Command<L>): Command {
  return command as unknown as Command
}
