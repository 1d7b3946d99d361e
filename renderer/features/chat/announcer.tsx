import { useEffect, useRef, useState } from "react"
import { sentenceEnd, spoken } from "./sentences.ts"

/** Tells a screen reader each sentence of a growing reply once it is complete, and the rest at the end. */
export function Announcer({ messageId, text, isOver }: { messageId: string; text: string; isOver: boolean }) {
  const said = useRef({ messageId, until: text.length })
  const [sentence, setSentence] = useState("")
  useEffect(() => {
    if (said.current.messageId !== messageId) said.current = { messageId, until: 0 }
    const until = isOver ? text.length : sentenceEnd(text, said.current.until)
    if (until <= said.current.until) return
    setSentence(spoken(text.slice(said.current.until, until)))
    said.current.until = until
  }, [messageId, text, isOver])
  return (
    <div aria-live="polite" className="sr-only">
      {sentence}
    </div>
  )
}
