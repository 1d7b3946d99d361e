// The one list of architectures. A new one is its file and a line here.
import type { Architecture } from "./architecture.ts"
import { llama } from "./llama.ts"
import { mistral } from "./mistral.ts"
import { qwen2 } from "./qwen2.ts"

export const architectures: readonly Architecture[] = [llama, mistral, qwen2]
