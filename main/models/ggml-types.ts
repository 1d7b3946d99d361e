// Every block type that GGUF files may name, by number; those with an encoding are what the engine reads.
// Names and sizes: enum ggml_type and the type traits of llama.cpp.
import type { NativeEncoding } from "../engine/addon-types.ts"

export interface GgmlType {
  name: string
  /** Elements of a block and its bytes; null where llama.cpp no longer knows them. */
  block: { elements: number; bytes: number } | null
  /** Null: refused, by name. */
  encoding: NativeEncoding | null
}

const list: [number: number, name: string, elements: number, bytes: number, encoding?: NativeEncoding][] = [
  [0, "F32", 1, 4, "f32"],
  [1, "F16", 1, 2, "f16"],
  [2, "Q4_0", 32, 18, "q4_0"],
  [3, "Q4_1", 32, 20, "q4_1"],
  [4, "Q4_2", 0, 0],
  [5, "Q4_3", 0, 0],
  [6, "Q5_0", 32, 22, "q5_0"],
  [7, "Q5_1", 32, 24, "q5_1"],
  [8, "Q8_0", 32, 34, "q8_0"],
  [9, "Q8_1", 32, 36],
  [10, "Q2_K", 256, 84],
  [11, "Q3_K", 256, 110],
  [12, "Q4_K", 256, 144, "q4_k"],
  [13, "Q5_K", 256, 176, "q5_k"],
  [14, "Q6_K", 256, 210, "q6_k"],
  [15, "Q8_K", 256, 292],
  [16, "IQ2_XXS", 256, 66],
  [17, "IQ2_XS", 256, 74],
  [18, "IQ3_XXS", 256, 98],
  [19, "IQ1_S", 256, 50],
  [20, "IQ4_NL", 32, 18],
  [21, "IQ3_S", 256, 110],
  [22, "IQ2_S", 256, 82],
  [23, "IQ4_XS", 256, 136],
  [24, "I8", 1, 1],
  [25, "I16", 1, 2],
  [26, "I32", 1, 4],
  [27, "I64", 1, 8],
  [28, "F64", 1, 8],
  [29, "IQ1_M", 256, 56],
  [30, "BF16", 1, 2, "bf16"],
  [31, "Q4_0_4_4", 0, 0],
  [32, "Q4_0_4_8", 0, 0],
  [33, "Q4_0_8_8", 0, 0],
  [34, "TQ1_0", 256, 54],
  [35, "TQ2_0", 256, 66],
  [36, "IQ4_NL_4_4", 0, 0],
  [37, "IQ4_NL_4_8", 0, 0],
  [38, "IQ4_NL_8_8", 0, 0],
  [39, "MXFP4", 32, 17],
  [40, "NVFP4", 64, 36],
  [41, "Q1_0", 0, 0],
  [42, "Q2_0", 0, 0],
]

const types = new Map<number, GgmlType>(
  list.map(([number, name, elements, bytes, encoding]) => [
    number,
    { name, block: elements === 0 ? null : { elements, bytes }, encoding: encoding ?? null },
  ]),
)

/** A number that nobody has given out yet gets a name that says so. */
export function ggmlType(number: number): GgmlType {
  return types.get(number) ?? { name: `type ${number}`, block: null, encoding: null }
}
