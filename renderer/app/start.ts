// Starts the page: address, connection, what main holds, and the features that listen to it.
import { openLastChat, startChats } from "../features/chat/actions.ts"
import { startMemory } from "../features/memory/actions.ts"
import { startAppearance } from "../lib/appearance.ts"
import { startConnection } from "../lib/client.ts"
import { fillMirror, watchMemory } from "../lib/mirror.ts"
import { startNavigation } from "../lib/navigation.ts"
import { startKeepingFocus } from "./keep-focus.ts"
import { startKeyboard } from "./keyboard.ts"

export function start(): void {
  startAppearance()
  startNavigation()
  startChats()
  startMemory()
  startKeyboard()
  startKeepingFocus()
  document.addEventListener("visibilitychange", watchMemory)
  let isFirst = true
  startConnection(async () => {
    watchMemory()
    try {
      await fillMirror()
    } catch {
      // Lost meanwhile: the connection says so and comes again.
      return
    }
    if (isFirst) openLastChat()
    isFirst = false
  })
}
