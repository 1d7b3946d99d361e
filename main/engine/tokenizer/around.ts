// What the post-processor puts before and after a text.
import { badTokenizer } from "./json.ts"
import type { PostProcessor } from "./steps.ts"
import type { Vocabulary } from "./vocabulary.ts"

export function specialAround(processors: PostProcessor[], { texts }: Vocabulary): { before: number[]; after: number[] } {
  let before: number[] = []
  let after: number[] = []
  for (const processor of processors) {
    if (processor.type === "BertProcessing" || processor.type === "RobertaProcessing") {
      before = [processor.cls[1], ...before]
      after = [...after, processor.sep[1]]
    } else if (processor.type === "TemplateProcessing") {
      const place = processor.single.findIndex((item) => "Sequence" in item)
      if (place < 0) throw badTokenizer("post_processor.single has no place for the text")
      const idsOf = (items: typeof processor.single) =>
        items.flatMap((item) => {
          if (!("SpecialToken" in item)) throw badTokenizer("post_processor.single has two places for the text")
          const token = processor.special_tokens[item.SpecialToken.id]
          if (!token) throw badTokenizer(`post_processor names the token ${JSON.stringify(item.SpecialToken.id)} without its id`)
          return token.ids
        })
      before = [...idsOf(processor.single.slice(0, place)), ...before]
      after = [...after, ...idsOf(processor.single.slice(place + 1))]
    }
  }
  const missing = [...before, ...after].find((id) => texts[id] === undefined)
  if (missing !== undefined) throw badTokenizer(`post_processor names the id ${missing}, which no token has`)
  return { before, after }
}
