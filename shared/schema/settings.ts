// Settings, listed once: names, types, defaults.
import { z } from "zod"
import { QuantizedFormat } from "./format.ts"
import { OutlierThreshold } from "./outliers.ts"

export const Settings = z.object({
  theme: z.enum(["system", "light", "dark"]).default("system"),
  language: z.enum(["system", "en", "zh"]).default("system"),
  /** Chosen first when quantizing. */
  defaultFormat: QuantizedFormat.default("nf4-dq"),
  /** 0 = one per core. */
  threads: z.int().min(0).max(256).default(0),
  /** 0 = what the model can do, at most 8192. */
  context: z.int().min(0).max(1_048_576).default(0),
  /** Outlier threshold of models in int8, 0 = no outliers; null: what each model's files say, else 6. */
  int8Threshold: OutlierThreshold.nullable().default(null),
  /** int8 weights are multiplied with activations as they are, instead of LLM.int8(). */
  int8Exact: z.boolean().default(false),
  /** Hub address; empty = HF_ENDPOINT or the public hub. */
  hubEndpoint: z.string().default(""),
  /** http:, https: or socks5: address that transfers go through; empty = HTTPS_PROXY and HTTP_PROXY. */
  proxy: z.string().default(""),
  /** Of all transfers together; 0 = none. */
  bytesPerSecondLimit: z.number().min(0).default(0),
  /** 16-bit files are kept after quantizing. */
  keepOriginals: z.boolean().default(false),
  /** Where models and offloaded weights are looked for besides the data folder: the Hugging Face cache is used in place. */
  useHuggingFaceCache: z.boolean().default(true),
  /** Model loaded at start: the one used last. */
  lastModelId: z.string().nullable().default(null),
  loadLastModel: z.boolean().default(true),
})
export type Settings = z.infer<typeof Settings>

/** What is to change. The fields are taken without their defaults: those of partial() would put every setting not named back. */
export const SettingsChange = z
  .object({
    theme: Settings.shape.theme.unwrap(),
    language: Settings.shape.language.unwrap(),
    defaultFormat: Settings.shape.defaultFormat.unwrap(),
    threads: Settings.shape.threads.unwrap(),
    context: Settings.shape.context.unwrap(),
    int8Threshold: Settings.shape.int8Threshold.unwrap(),
    int8Exact: Settings.shape.int8Exact.unwrap(),
    hubEndpoint: Settings.shape.hubEndpoint.unwrap(),
    proxy: Settings.shape.proxy.unwrap(),
    bytesPerSecondLimit: Settings.shape.bytesPerSecondLimit.unwrap(),
    keepOriginals: Settings.shape.keepOriginals.unwrap(),
    useHuggingFaceCache: Settings.shape.useHuggingFaceCache.unwrap(),
    lastModelId: Settings.shape.lastModelId.unwrap(),
    loadLastModel: Settings.shape.loadLastModel.unwrap(),
  } satisfies Record<keyof Settings, z.ZodType>)
  .partial()
export type SettingsChange = z.infer<typeof SettingsChange>
