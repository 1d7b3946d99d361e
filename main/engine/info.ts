import type { EngineInfo } from "../../shared/schema/system.ts"
import type { Engine } from "./client.ts"

/** What a call answers; null when it fails, or does not answer in time. */
export async function within<Answer>(patience_ms: number, call: (late: AbortSignal) => Promise<Answer>): Promise<Answer | null> {
  const late = AbortSignal.timeout(patience_ms)
  const timeout = new Promise<null>((resolve) => late.addEventListener("abort", () => resolve(null)))
  return Promise.race([call(late), timeout]).catch(() => null)
}

/** What the engine says of itself and the computer; null while it does not answer. */
export function askEngine(engine: Pick<Engine, "client">, patience_ms: number): Promise<EngineInfo | null> {
  return within(patience_ms, (late) => engine.client["engine.info"](undefined, late))
}
