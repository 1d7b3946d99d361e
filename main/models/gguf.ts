// The header of a GGUF file: metadata and where its tensors lie. Nothing but the header is read.

export type GgufValue = number | bigint | boolean | string | GgufValue[]
