// CodeGen: GPT-J with queries, values and keys in one matrix, a quarter of the heads after the other.
import { dimension } from "../decoder-config.ts"
import { architecture } from "./architecture.ts"
import { gpt2Names, gptDefaults, gptFields } from "./gpt2.ts"
import { gptjBiases, gptjDecoder } from "./gptj.ts"

export const codegen = architecture({
  name: "CodeGenForCausalLM",
  modelType: "codegen",
  fields: { rotary_dim: dimension },
  renamed: gptFields,
  defaults: { ...gptDefaults, n_positions: 2048, rotary_dim: 64 },
  isFfnFourfold: true,
  names: {
    ...gpt2Names,
    inLayer: { attn_norm: "ln_1", qkv: "attn.qkv_proj", o: "attn.out_proj", up: "mlp.fc_in", down: "mlp.fc_out" },
  },
  describe: ({ rotary_dim: rotaryDim }, { rope }) => ({
    decoder: { ...gptjDecoder(rope({ rotaryDim, isInterleaved: true })), qkv: "quarters" },
    biases: gptjBiases,
  }),
})
