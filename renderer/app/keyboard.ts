import { isPressed } from "../lib/commands.ts"
import { mirror } from "../lib/mirror.ts"
import { isCovered } from "../ui/covered.ts"
import { allCommands } from "./commands.ts"

/** Shortcuts are the commands' own keys. What is over the page (a dialog, a menu) gets the keys first. */
export function startKeyboard(): void {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || !mirror.get().snapshot) return
    const command = allCommands().find((one) => one.keys && isPressed(event, one.keys))
    if (!command || (isCovered() && command.id !== "palette")) return
    event.preventDefault()
    command.run()
  })
}
