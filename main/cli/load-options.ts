// How a model is loaded, for every command that loads one.
import { BlockSize, ComputeType, QuantizedFormat } from "../../shared/schema/format.ts"
import type { OptionList, Values } from "./options.ts"

export const blockSizes = [...BlockSize.values].map(String)

export const loadOptions = {
  quantize: { type: "choice", value: "FORMAT", choices: QuantizedFormat.options, help: "Quantize the linear layers while loading" },
  "block-size": { type: "choice", value: "N", choices: blockSizes, help: "Weights that share one scale (4-bit formats; default 64)" },
  "compute-dtype": {
    type: "choice",
    value: "TYPE",
    choices: ComputeType.options,
    help: "What products are computed in (default: what this processor does fast)",
  },
  threshold: { type: "number", value: "X", min: 0, help: "Outliers of LLM.int8(), 0: none (default: as the model says, else 6)" },
  exact: { type: "flag", help: "int8 weights times activations as they are, instead of LLM.int8()" },
  threads: { type: "integer", value: "N", min: 1, max: 256, help: "Threads to use (default: one per core)" },
  backend: {
    type: "choice",
    value: "NAME",
    choices: ["auto", "cpu", "avx512", "avx2", "neon", "scalar", "ref"],
    help: "What computes (default auto; ref is the plain reference)",
  },
} as const satisfies OptionList

export const contextOption = {
  context: {
    type: "integer",
    value: "N",
    min: 1,
    max: 2 ** 24,
    help: "Tokens that prompt and reply may have together (default: the model's own, at most 8192)",
  },
} as const satisfies OptionList

export type LoadValues = Partial<Values<typeof loadOptions> & Values<typeof contextOption>>
