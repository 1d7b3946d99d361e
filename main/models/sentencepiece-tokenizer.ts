// A SentencePiece vocabulary as the parts of tokenizer.json that give SentencePiece's tokens: from tokenizer.model and from GGUF.
import { pieceMerges } from "./gguf-piece-merges.ts"
import { pieceTypes, type SentencePieceFile } from "./sentencepiece-tokenizer-file.ts"

export interface SentencePieceParts {
  normalizer: Record<string, unknown> | null
  preTokenizer: Record<string, unknown> | null
  decoder: Record<string, unknown>
  model: Record<string, unknown>
}

type Vocabulary = Pick<SentencePieceFile, "pieces" | "scores" | "charsmap" | "addsPrefix" | "removesExtraSpaces" | "byteFallback"> & {
  /** Null: all are normal. */
  types: number[] | null
  unknownId: number | null
}

/** `prefixes`: where a space is put in front: at every text between special tokens, or ("first") only where the whole begins. */
export function bytePairParts(vocabulary: Vocabulary, prefixes: "always" | "first" = "always"): SentencePieceParts {
  const { pieces, scores, types, unknownId } = vocabulary
  const ids = new Map(pieces.map((piece, id) => [piece, id]))
  const { unknown, control, byte } = pieceTypes
  const isPiece = (id: number) => !types || ![unknown, control, byte].some((type) => type === types[id])
  const isFirstOnly = prefixes === "first" && vocabulary.addsPrefix
  return {
    ...(isFirstOnly
      ? {
          normalizer: inOrder("normalizers", mapped(vocabulary)),
          preTokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: false },
        }
      : { normalizer: inOrder("normalizers", [...mapped(vocabulary), ...marked(vocabulary)]), preTokenizer: null }),
    decoder: textDecoder(vocabulary),
    model: {
      type: "BPE",
      dropout: null,
      unk_token: unknownId === null ? null : (pieces[unknownId] ?? null),
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: vocabulary.byteFallback,
      ignore_merges: false,
      vocab: Object.fromEntries(ids),
      merges: pieceMerges(pieces, ids, scores, isPiece),
    },
  }
}

/** `splitsAtAnySpace`: as transformers' T5Tokenizer, which leaves removing spaces to the split. */
export function unigramParts(vocabulary: Vocabulary, splitsAtAnySpace = false): SentencePieceParts {
  const { pieces, scores, unknownId, byteFallback, addsPrefix, removesExtraSpaces } = vocabulary
  const splitsWords = splitsAtAnySpace || (addsPrefix && removesExtraSpaces)
  const words = { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true }
  const beforeWords = mapped({ ...vocabulary, removesExtraSpaces: removesExtraSpaces && !splitsAtAnySpace })
  const preTokenizer = splitsAtAnySpace ? { type: "Sequence", pretokenizers: [{ type: "WhitespaceSplit" }, words] } : words
  return {
    normalizer: inOrder("normalizers", splitsWords ? beforeWords : [...mapped(vocabulary), ...marked(vocabulary)]),
    preTokenizer: splitsWords ? preTokenizer : null,
    decoder: splitsWords && !byteFallback ? words : textDecoder(vocabulary),
    model: { type: "Unigram", unk_id: unknownId, vocab: pieces.map((piece, id) => [piece, scores[id]]), byte_fallback: byteFallback },
  }
}

const text = (value: string) => ({ String: value })

/** What changes characters and spaces, before spaces are marked. */
function mapped({ charsmap, removesExtraSpaces }: Vocabulary): Record<string, unknown>[] {
  const steps: Record<string, unknown>[] = []
  if (charsmap.length > 0) steps.push({ type: "Precompiled", precompiled_charsmap: Buffer.from(charsmap).toString("base64") })
  if (removesExtraSpaces) {
    steps.push(
      { type: "Replace", pattern: { Regex: "\\A +| +\\z" }, content: "" },
      { type: "Replace", pattern: { Regex: " {2,}" }, content: " " },
    )
  }
  return steps
}

function marked({ addsPrefix }: Vocabulary): Record<string, unknown>[] {
  const prefix = addsPrefix ? [{ type: "Prepend", prepend: "▁" }] : []
  return [...prefix, { type: "Replace", pattern: text(" "), content: "▁" }]
}

function textDecoder({ addsPrefix }: Vocabulary): Record<string, unknown> {
  return {
    type: "Sequence",
    decoders: [
      { type: "Replace", pattern: text("▁"), content: " " },
      { type: "ByteFallback" },
      { type: "Fuse" },
      ...(addsPrefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
    ],
  }
}

function inOrder(name: string, steps: Record<string, unknown>[]): Record<string, unknown> | null {
  return steps.length === 0 ? null : { type: "Sequence", [name]: steps }
}
