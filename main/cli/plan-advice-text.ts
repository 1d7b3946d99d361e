// Advice on a plan as sentences, with the figures of the model and the computer.
import type { PlanAdvice, PlanAdviceCode } from "../../shared/schema/plan.ts"
import { bytes } from "../sizes.ts"
import { rate } from "./quantities.ts"

type Figures = (name: string) => number
const share = (value: number) => `${(value * 100).toFixed(1)} %`

const sentences: Record<PlanAdviceCode, (figure: Figures, format: string) => string> = {
  smaller_format: (of, format) =>
    `It lacks ${bytes(of("missingBytes"))} of memory. In ${format} it takes ${bytes(of("thenBytes"))} instead of ${bytes(of("neededBytes"))}.`,
  shorter_context: (of) =>
    `The cache takes ${bytes(of("kvBytes"))}: with ${of("tokens").toLocaleString("en-US")} tokens of context less it fits.`,
  smaller_model: (of, format) => `Even in ${format} ${bytes(of("missingBytes"))} are missing: a smaller model fits.`,
  other_computer: (of, format) => `A computer with ${bytes(of("neededBytes"))} free runs it in ${format}: see --computer.`,
  faster_format: (of, format) =>
    `At ${rate(of("nowPerS"))} tokens/s it is slower than one reads; in ${format} it makes about ${rate(of("thenPerS"))}.`,
  slow_from_disk: (of) => `${bytes(of("diskBytes"))} would be read from the disk for each token, which is slow.`,
  measure_speed: () => "How fast this computer is has not been measured: --benchmark does it in ten seconds.",
  accurate_format: (of, format) =>
    `More accurate: ${format} keeps ${share(of("thenShare"))} of the next tokens instead of ${share(of("nowShare"))}, for ${bytes(of("moreBytes"))} more.`,
  nf4_not_fp4: (of, format) =>
    `${format} takes as much memory as FP4 and keeps ${share(of("thenShare"))} of the next tokens instead of ${share(of("nowShare"))}.`,
  finer_blocks: (of) => `Blocks of ${of("thenBlockSize")} weights instead of ${of("blockSize")} have more scales and less error.`,
  keep_embeddings: (_, format) => `Embeddings and head are in ${format}; in 16 bits they lose nothing.`,
  measure_quality: (_, format) => `The share of ${format} is what is typical of models of this size: nibble eval measures it.`,
  load_quantized: (of) =>
    `Quantize it once and keep that: loading then reads ${bytes(of("quantizedBytes"))} instead of ${bytes(of("storedBytes"))}.`,
  full_precision: (of, format) => `There is room for full precision: in ${format} it takes ${bytes(of("thenBytes"))} and loses nothing.`,
  gguf_elsewhere: (of) =>
    `For chats on processors alone, GGUF files in llama.cpp (Q4_K_M, ${of("bitsPerWeight")} bits per weight) lose less than 4-bit formats of bitsandbytes; they cannot be fine-tuned.`,
  gptq_awq_elsewhere: () =>
    "To serve many people at once from an NVIDIA card, GPTQ or AWQ in vLLM is faster; both need a calibration text, and cannot be made here.",
  fp8_elsewhere: (of) =>
    `This card multiplies FP8: in vLLM that takes about ${bytes(of("totalBytes"))}, like INT8, loses little and is the fastest.`,
}

export function adviceSentence({ code, format, figures }: PlanAdvice): string {
  return sentences[code]((name) => figures[name] ?? 0, format ?? "")
}
