// The one list of architectures. A new one is its file and a line here.
import type { Architecture } from "./architecture.ts"
import { cohere, cohere2 } from "./cohere.ts"
import { gemma } from "./gemma.ts"
import { gemma2 } from "./gemma2.ts"
import { gemma3, gemma3Text } from "./gemma3.ts"
import { granite } from "./granite.ts"
import { internlm2 } from "./internlm2.ts"
import { llama } from "./llama.ts"
import { mistral } from "./mistral.ts"
import { olmo } from "./olmo.ts"
import { olmo2, olmo3 } from "./olmo2.ts"
import { phi3 } from "./phi3.ts"
import { qwen2 } from "./qwen2.ts"
import { qwen3 } from "./qwen3.ts"
import { smollm3 } from "./smollm3.ts"

export const architectures: readonly Architecture[] = [
  cohere,
  cohere2,
  gemma,
  gemma2,
  gemma3,
  gemma3Text,
  granite,
  internlm2,
  llama,
  mistral,
  olmo,
  olmo2,
  olmo3,
  phi3,
  qwen2,
  qwen3,
  smollm3,
]
