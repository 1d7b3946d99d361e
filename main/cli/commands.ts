// The commands, once each. A command's file is loaded when it is called for, so that the others cost no time.
import type { Command } from "./command.ts"

export interface Listing {
  name: string
  summary: string
  load(): Promise<Command>
}

export const commands: readonly Listing[] = [
  {
    name: "doctor",
    summary: "This computer, the engine on it, and a test of each backend",
    load: async () => (await import("./doctor.ts")).doctor,
  },
  { name: "models list", summary: "The installed models", load: async () => (await import("./models.ts")).modelsList },
  { name: "models show", summary: "One installed model", load: async () => (await import("./models.ts")).modelsShow },
  { name: "search", summary: "Models on the hub that can run here", load: async () => (await import("./search.ts")).search },
  {
    name: "models pull",
    summary: "Get a model from the hub, as it is or quantized while it arrives",
    load: async () => (await import("./models-pull.ts")).modelsPull,
  },
  {
    name: "models import",
    summary: "Add a model folder or GGUF file, where it lies or as a copy",
    load: async () => (await import("./models-import.ts")).modelsImport,
  },
  {
    name: "models rm",
    summary: "Remove a model from the list; delete its files if they are ours",
    load: async () => (await import("./models.ts")).modelsRemove,
  },
  { name: "inspect", summary: "What a model is, without loading its weights", load: async () => (await import("./inspect.ts")).inspect },
  {
    name: "plan",
    summary: "What memory a model takes in each format, part by part, before it is loaded",
    load: async () => (await import("./plan.ts")).plan,
  },
  {
    name: "capacity",
    summary: "What this computer can run: known models of many sizes in each format",
    load: async () => (await import("./capacity.ts")).capacity,
  },
  {
    name: "quantize",
    summary: "Write a bitsandbytes folder that this program, transformers and vLLM load",
    load: async () => (await import("./quantize.ts")).quantize,
  },
  { name: "generate", summary: "Complete a text, or answer one question", load: async () => (await import("./generate.ts")).generate },
  { name: "chat", summary: "A conversation in the terminal", load: async () => (await import("./chat.ts")).chat },
  { name: "tokenize", summary: "Text to token ids and back", load: async () => (await import("./tokenize.ts")).tokenize },
  { name: "logits", summary: "The logits of a sequence, as a safetensors file", load: async () => (await import("./logits.ts")).logits },
  {
    name: "eval",
    summary: "How well a model predicts a text, and how far a format of it is from the original",
    load: async () => (await import("./eval.ts")).evaluate,
  },
  { name: "bench", summary: "Speed and memory, median and spread", load: async () => (await import("./bench.ts")).bench },
  { name: "serve", summary: "The page, in a browser", load: async () => (await import("./serve.ts")).serve },
]
