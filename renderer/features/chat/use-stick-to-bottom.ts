import { type RefObject, useCallback, useEffect, useRef, useState } from "react"

/** Closer to the end than this counts as being there. */
const near_px = 40

interface Stick {
  scroller: RefObject<HTMLDivElement | null>
  content: RefObject<HTMLDivElement | null>
  /** False once the reader has scrolled up; what comes then does not move the view. */
  isAtEnd: boolean
  toEnd(): void
}

/** Keeps a growing column at its end until the reader scrolls up, and again when they come back to the end. */
export function useStickToBottom(): Stick {
  const scroller = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const stuck = useRef(true)
  const [isAtEnd, setAtEnd] = useState(true)

  const toEnd = useCallback(() => {
    stuck.current = true
    setAtEnd(true)
    if (scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight
  }, [])

  useEffect(() => {
    const box = scroller.current
    const column = content.current
    if (!box || !column) return
    let top = box.scrollTop
    const isNearEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight < near_px
    const onScroll = () => {
      const isNear = isNearEnd()
      // Only a way up is the reader's wish; the column growing also leaves the end behind.
      if (box.scrollTop < top - 1 && !isNear) stuck.current = false
      else if (isNear) stuck.current = true
      top = box.scrollTop
      setAtEnd(stuck.current)
    }
    const grown = new ResizeObserver(() => {
      // A column that became shorter may have brought its end into view.
      if (!stuck.current && isNearEnd()) stuck.current = true
      if (stuck.current) box.scrollTop = box.scrollHeight
      setAtEnd(stuck.current)
    })
    box.addEventListener("scroll", onScroll, { passive: true })
    grown.observe(column)
    grown.observe(box)
    return () => {
      box.removeEventListener("scroll", onScroll)
      grown.disconnect()
    }
  }, [])

  return { scroller, content, isAtEnd, toEnd }
}
