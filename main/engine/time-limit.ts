// A wall-clock limit for work that runs text from strangers without ever yielding: their regular expressions and templates.
// V8 can be interrupted only from a script that Node started with a timeout, so a constant one calls the work (0.2 ms per call).
import vm from "node:vm"

let context: { work: () => void } | null = null
let script: vm.Script | null = null

/** Calls `work`; when it takes longer than `limitMs`, stops it wherever it is and throws what `late` gives. Must not be nested. */
export function withTimeLimit<T>(limitMs: number, work: () => T, late: () => Error): T {
  context ??= vm.createContext({ work: () => {} }) as { work: () => void }
  script ??= new vm.Script("work()")
  let result: { value: T } | null = null
  context.work = () => {
    result = { value: work() }
  }
  try {
    script.runInContext(context, { timeout: Math.ceil(limitMs) })
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code === "ERR_SCRIPT_EXECUTION_TIMEOUT") throw late()
    throw error
  } finally {
    context.work = () => {}
  }
  return (result as { value: T } | null)!.value
}
