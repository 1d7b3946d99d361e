// What an architecture file says. The decoder itself is one (native/model); an architecture is defaults and a few switches.
import type { z } from "zod"
import type { DecoderConfig } from "../decoder-config.ts"

export interface Architecture {
  /** In config.json's "architectures". */
  name: string
  /** config.json's "model_type". */
  modelType: string
  /** What its configuration class in transformers fills in for absent fields, where that differs from decoderDefaults. */
  defaults: Record<string, unknown>
  /** `maxContext`: positions after rotary scaling. */
  switches(config: DecoderSettings, maxContext: number): Switches
}

export type DecoderSettings = z.output<typeof DecoderConfig>

export interface Switches {
  /** 0 = every position sees all before it. */
  slidingWindow: number
  /** Which linear layers have a bias. */
  biases: { qkv: boolean; output: boolean; mlp: boolean }
}
