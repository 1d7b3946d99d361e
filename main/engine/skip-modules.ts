// Which linear layers stay as they are: the rule of transformers (should_convert_module, 5.23; bitsandbytes.md 3.4).

/**
 * Whether a module is left out by a list of patterns: a pattern fits from the start of the name up to a border between its parts,
 * read as a regular expression, or is the end of the name.
 */
export function createSkipRule(patterns: string[]): (moduleName: string) => boolean {
  const expressions = patterns.map((pattern) => ({ pattern, expression: compile(pattern) }))
  return (name) => expressions.some(({ pattern, expression }) => expression.test(name) || name.endsWith(pattern))
}

/** JavaScript and Python agree on what such lists hold; text that is no expression here is taken literally. */
function compile(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})(?:(?<=\\.)|(?=\\.|$))`)
  } catch {
    return new RegExp(`^${pattern.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}(?=\\.|$)`)
  }
}
