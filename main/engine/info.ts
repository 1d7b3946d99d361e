import type { EngineInfo } from "../../shared/schema/system.ts"
import type { Engine } from "./client.ts"

/** What the engine says of itself and the computer; null while it does not answer. */
export async function askEngine(engine: Pick<Engine, "client">, patience_ms: number): Promise<EngineInfo | null> {
  const late = AbortSignal.timeout(patience_ms)
  const timeout = new Promise<null>((resolve) => late.addEventListener("abort", () => resolve(null)))
  return Promise.race([engine.client["engine.info"](undefined, late), timeout]).catch(() => null)
}
