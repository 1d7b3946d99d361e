// nibble logits: for comparison with other programs.
import { resolve } from "node:path"
import { defineCommand } from "./command.ts"
import { loadOptions } from "./load-options.ts"
import { withModel } from "./with-engine.ts"

export const logits = defineCommand({
  name: "logits",
  summary: "The logits of a sequence, as a safetensors file",
  positionals: ["MODEL"],
  options: {
    tokens: { type: "ids", value: "1,2,3", isRequired: true, help: "The sequence" },
    out: { type: "text", value: "FILE", isRequired: true, help: "File to write, with the tensor `logits` [tokens, vocabulary] in fp32" },
    ...loadOptions,
  },
  examples: [
    "logits ./SmolLM2-nf4 --tokens 504,3575,282 --out logits.safetensors",
    "logits model.gguf --tokens 1,2 --out ref.safetensors --backend ref",
  ],
  async run(values, [reference = ""], context) {
    const { tokens = [], out = "" } = values
    const load = { ...values, context: tokens.length }
    const written = await withModel(reference, load, context, (client) =>
      client["model.logits"]({ tokens, out: resolve(out) }, context.signal),
    )
    context.output.line(`${written.out}: logits [${written.shape.join(", ")}]`)
    return written
  },
})
