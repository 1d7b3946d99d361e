// GPT-Neo: GPT-2's form with plain matrices, attention that is not scaled, and a window in every other layer.
import { z } from "zod"
import { architecture } from "./architecture.ts"
import { gpt2Names, gpt2Norms, gptDefaults } from "./gpt2.ts"
import { layersOf } from "./layer-types.ts"

const kinds = z.array(z.string()).max(4096)
/** Which kinds follow each other how often: [[["global", "local"], 12]]. */
const attentionTypes = z.array(z.tuple([kinds, z.int().positive().max(4096)])).max(4096)

export const gptNeo = architecture({
  name: "GPTNeoForCausalLM",
  modelType: "gpt_neo",
  fields: {
    attention_types: attentionTypes.nullish(),
    attention_layers: kinds.nullish(),
    window_size: z.int().positive(),
  },
  renamed: {
    num_hidden_layers: "num_layers",
    num_attention_heads: "num_heads",
    rms_norm_eps: "layer_norm_epsilon",
    hidden_act: "activation_function",
  },
  defaults: { ...gptDefaults, max_position_embeddings: 2048, window_size: 256, tie_word_embeddings: true },
  isFfnFourfold: true,
  names: {
    ...gpt2Names,
    inLayer: {
      ...gpt2Names.inLayer,
      q: "attn.attention.q_proj",
      k: "attn.attention.k_proj",
      v: "attn.attention.v_proj",
      o: "attn.attention.out_proj",
    },
  },
  describe: (config, { nLayers, maxContext }) => {
    const kindOf = config.attention_layers ?? expanded(config.attention_types ?? [[["global", "local"], nLayers]], nLayers)
    return {
      decoder: {
        norm: "layer",
        attentionScale: 1,
        ffn: "plain",
        nPositions: maxContext,
        layers: layersOf(
          Array.from({ length: nLayers }, (_, i) => kindOf[i] === "local"),
          (is) => ({ window: is ? config.window_size : 0, rope: -1 }),
        ),
      },
      biases: [...gpt2Norms, "o", "up", "down"],
    }
  },
})

/** The kind of each of the first `nLayers` layers. */
function expanded(types: z.output<typeof attentionTypes>, nLayers: number): string[] {
  const all: string[] = []
  for (const [names, times] of types) {
    for (let i = 0; i < times && names.length > 0 && all.length < nLayers; i++) all.push(...names)
  }
  return all
}
