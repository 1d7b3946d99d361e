// What can be done from the keyboard and the palette. Each feature lists its own commands; the shell joins the lists.
import type { LucideIcon } from "lucide-react"

export interface Command {
  id: string
  /** As shown, in the language of the page. */
  title: string
  /** "mod" is Ctrl, and Cmd on a Mac: "mod+k", "?", "escape". */
  keys?: string
  icon?: LucideIcon
  run(): void
}

const isMac = typeof navigator !== "undefined" && /mac/i.test(navigator.platform)

/** Whether the event is that of `keys`. Without a modifier the event must not come from a field. */
export function isPressed(event: KeyboardEvent, keys: string): boolean {
  const parts = keys.split("+")
  const key = parts.at(-1)
  const wantsMod = parts.includes("mod")
  const hasMod = isMac ? event.metaKey : event.ctrlKey
  if (wantsMod !== hasMod || event.altKey) return false
  // "?" needs Shift on most keyboards: only letters and named keys tell Shift apart.
  if (key !== "?" && parts.includes("shift") !== event.shiftKey) return false
  if (!wantsMod && key !== "escape" && isInField(event.target)) return false
  return event.key.toLowerCase() === key
}

function isInField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

const names: Record<string, string> = {
  mod: isMac ? "⌘" : "Ctrl",
  shift: isMac ? "⇧" : "Shift",
  escape: "Esc",
  arrowup: "↑",
  enter: "Enter",
}

/** One string per key cap. */
export function keyCaps(keys: string): string[] {
  return keys.split("+").map((key) => names[key] ?? key.toUpperCase())
}
