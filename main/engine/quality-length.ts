// How much of a text is measured where nobody says: as much as takes about a minute here, in steps, so that figures of two runs, or of two
// computers that are about as fast, are of the same tokens.
import type { EngineAddon, NativeEvaluateOptions, NativeModelSource } from "./addon-types.ts"
import { runTask } from "./run-task.ts"

const target_s = 60
/** No text is read further. */
export const most = 2 ** 16
/** Fewer give figures that the next paragraph would change. */
export const least = 2048
/** What a second run may be faster by, the first having brought the weights from the disk. */
const worthRepeating_s = 0.5

/** The largest of 2048, 4096, 8192 … tokens that take `target_s` at most, when each takes so long; at least 2048. */
export function tokensWithin(secondsPerToken: number): number {
  let tokens = least
  while (tokens < most && 2 * tokens * secondsPerToken <= target_s) tokens *= 2
  return tokens
}

/** Times one layer of the first model over one window; the others are about as fast. */
export async function measureSecondsPerToken(addon: EngineAddon, options: NativeEvaluateOptions, signal: AbortSignal): Promise<number> {
  const [first] = options.models
  const [window] = options.windows
  if (!first || !window) return 0
  const once = () => timeLayer(addon, { ...options, models: [{ ...first, source: firstLayer(first.source) }], windows: [window] }, signal)
  const cold = await once()
  const seconds = cold < worthRepeating_s ? Math.min(cold, await once()) : cold
  const layer = elementsOf(first.source, (role) => role.startsWith("layers.0."))
  const all = options.models.reduce(
    (sum, { source }) => sum + elementsOf(source, (role) => role !== "embed" || source.decoder.hasTiedHead),
    0,
  )
  return (seconds / window.tokens.length) * (all / layer)
}

async function timeLayer(addon: EngineAddon, options: NativeEvaluateOptions, signal: AbortSignal): Promise<number> {
  const evaluation = addon.openEvaluation(options)
  try {
    await runTask(
      evaluation.runStep(() => {}),
      signal,
    )
    const started = performance.now()
    await runTask(
      evaluation.runStep(() => {}),
      signal,
    )
    return (performance.now() - started) / 1000
  } finally {
    evaluation.dispose()
  }
}

function firstLayer({ files, decoder, tensors }: NativeModelSource): NativeModelSource {
  return {
    files,
    decoder: { ...decoder, nLayers: 1, layers: decoder.layers.slice(0, 1) },
    tensors: tensors.filter(({ role }) => !role.startsWith("layers.") || role.startsWith("layers.0.")),
  }
}

function elementsOf({ tensors }: NativeModelSource, isCounted: (role: string) => boolean): number {
  const counted = tensors.filter(({ role }) => isCounted(role))
  return counted.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0)
}
