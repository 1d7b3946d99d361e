// A control may go away by its own doing: a chat deletes itself from the list, "Answer again" makes room for the reply. Whoever works by
// keyboard then goes on in the message field, or at the start of the place.
import { isCovered } from "../ui/covered.ts"

/** What returns the focus by itself (a menu, a dialog) does so sooner. */
const patience_ms = 100

export function startKeepingFocus(): void {
  let focused: Element | null = null
  addEventListener("focusin", ({ target }) => {
    focused = target instanceof Element ? target : null
  })
  new MutationObserver(() => {
    if (!focused || focused.isConnected) return
    focused = null
    setTimeout(() => {
      const isNowhere = document.activeElement === null || document.activeElement === document.body
      if (!isNowhere || isCovered()) return
      const next = document.querySelector<HTMLElement>("main textarea") ?? document.querySelector<HTMLElement>("main")
      next?.focus({ preventScroll: true })
    }, patience_ms)
  }).observe(document.body, { childList: true, subtree: true })
}
