// The one list of architectures. A new one is its file and a line here.
import type { Architecture } from "./architecture.ts"
import { bloom } from "./bloom.ts"
import { codegen } from "./codegen.ts"
import { cohere, cohere2 } from "./cohere.ts"
import { deepseekV2 } from "./deepseek-v2.ts"
import { deepseekV3 } from "./deepseek-v3.ts"
import { falcon } from "./falcon.ts"
import { gemma } from "./gemma.ts"
import { gemma2 } from "./gemma2.ts"
import { gemma3, gemma3Text } from "./gemma3.ts"
import { gptBigcode } from "./gpt-bigcode.ts"
import { gptNeo } from "./gpt-neo.ts"
import { gptNeox } from "./gpt-neox.ts"
import { gptOss } from "./gpt-oss.ts"
import { gpt2 } from "./gpt2.ts"
import { gptj } from "./gptj.ts"
import { granite } from "./granite.ts"
import { graniteMoe } from "./granitemoe.ts"
import { internlm2 } from "./internlm2.ts"
import { llama } from "./llama.ts"
import { mistral } from "./mistral.ts"
import { mixtral } from "./mixtral.ts"
import { mpt, originalMpt } from "./mpt.ts"
import { olmo } from "./olmo.ts"
import { olmo2, olmo3 } from "./olmo2.ts"
import { olmoe } from "./olmoe.ts"
import { opt } from "./opt.ts"
import { phi } from "./phi.ts"
import { phi3 } from "./phi3.ts"
import { qwen2 } from "./qwen2.ts"
import { qwen2Moe } from "./qwen2-moe.ts"
import { qwen3 } from "./qwen3.ts"
import { qwen3Moe } from "./qwen3-moe.ts"
import { smollm3 } from "./smollm3.ts"
import { stablelm } from "./stablelm.ts"
import { starcoder2 } from "./starcoder2.ts"

export const architectures: readonly Architecture[] = [
  bloom,
  codegen,
  cohere,
  cohere2,
  deepseekV2,
  deepseekV3,
  falcon,
  gemma,
  gemma2,
  gemma3,
  gemma3Text,
  gpt2,
  gptBigcode,
  gptj,
  gptNeo,
  gptNeox,
  gptOss,
  granite,
  graniteMoe,
  internlm2,
  llama,
  mistral,
  mixtral,
  mpt,
  olmo,
  olmo2,
  olmo3,
  olmoe,
  opt,
  originalMpt,
  phi,
  phi3,
  qwen2,
  qwen2Moe,
  qwen3,
  qwen3Moe,
  smollm3,
  stablelm,
  starcoder2,
]
