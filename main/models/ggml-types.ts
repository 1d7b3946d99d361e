// Every block type that GGUF files may name, by number; those with a fifth entry are what the engine reads (native/io/encodings.def).
// Names and sizes: enum ggml_type and the type traits of llama.cpp.

export interface GgmlType {
  name: string
  /** Elements of a block and its bytes; null where llama.cpp no longer knows them. */
  block: { elements: number; bytes: number } | null
  /** Null: refused, by name. */
  encoding: GgmlEncoding | null
}

const read = true
const list = [
  [0, "F32", 1, 4, read],
  [1, "F16", 1, 2, read],
  [2, "Q4_0", 32, 18, read],
  [3, "Q4_1", 32, 20, read],
  [4, "Q4_2", 0, 0],
  [5, "Q4_3", 0, 0],
  [6, "Q5_0", 32, 22, read],
  [7, "Q5_1", 32, 24, read],
  [8, "Q8_0", 32, 34, read],
  // Q8_1 and Q8_K hold activations while llama.cpp computes: no file has weights in them.
  [9, "Q8_1", 32, 36],
  [10, "Q2_K", 256, 84, read],
  [11, "Q3_K", 256, 110, read],
  [12, "Q4_K", 256, 144, read],
  [13, "Q5_K", 256, 176, read],
  [14, "Q6_K", 256, 210, read],
  [15, "Q8_K", 256, 292],
  [16, "IQ2_XXS", 256, 66, read],
  [17, "IQ2_XS", 256, 74, read],
  [18, "IQ3_XXS", 256, 98, read],
  [19, "IQ1_S", 256, 50, read],
  [20, "IQ4_NL", 32, 18, read],
  [21, "IQ3_S", 256, 110, read],
  [22, "IQ2_S", 256, 82, read],
  [23, "IQ4_XS", 256, 136, read],
  [24, "I8", 1, 1],
  [25, "I16", 1, 2],
  [26, "I32", 1, 4],
  [27, "I64", 1, 8],
  [28, "F64", 1, 8],
  [29, "IQ1_M", 256, 56, read],
  [30, "BF16", 1, 2, read],
  [31, "Q4_0_4_4", 0, 0],
  [32, "Q4_0_4_8", 0, 0],
  [33, "Q4_0_8_8", 0, 0],
  [34, "TQ1_0", 256, 54, read],
  [35, "TQ2_0", 256, 66, read],
  [36, "IQ4_NL_4_4", 0, 0],
  [37, "IQ4_NL_4_8", 0, 0],
  [38, "IQ4_NL_8_8", 0, 0],
  [39, "MXFP4", 32, 17, read],
  [40, "NVFP4", 64, 36, read],
  [41, "Q1_0", 128, 18],
  [42, "Q2_0", 0, 0],
] as const

/** The engine's name of a type that it reads: "f32", "q4_k", "iq2_xxs", … */
export type GgmlEncoding = Lowercase<Extract<(typeof list)[number], { length: 5 }>[1]>

const types = new Map<number, GgmlType>(
  list.map(([number, name, elements, bytes, isRead]) => [
    number,
    {
      name,
      block: elements === 0 ? null : { elements, bytes },
      encoding: isRead ? (name.toLowerCase() as GgmlEncoding) : null,
    },
  ]),
)

/** A number that nobody has given out yet gets a name that says so. */
export function ggmlType(number: number): GgmlType {
  return types.get(number) ?? { name: `type ${number}`, block: null, encoding: null }
}
