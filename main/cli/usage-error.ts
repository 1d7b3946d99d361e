/** A command line that means nothing: exit code 2, and nothing was done. */
export class UsageError extends Error {
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.name = "UsageError"
    this.hint = hint
  }
}
