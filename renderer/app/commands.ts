// Every action of the page in one list: of the frame itself and of each feature, as they can be done at this moment.
import { Box, Command as CommandIcon, Cpu, Keyboard, MessageSquare, SlidersHorizontal } from "lucide-react"
import { addingCommands } from "../features/adding/commands.ts"
import { chatCommands } from "../features/chat/commands.ts"
import { modelCommands } from "../features/models/commands.ts"
import { settingsCommands } from "../features/settings/commands.ts"
import type { Command } from "../lib/commands.ts"
import { t } from "../lib/i18n.ts"
import { goTo, showDialog } from "../lib/navigation.ts"

function frameCommands(): Command[] {
  return [
    { id: "go.chat", title: t("palette.goTo", { place: t("place.chat") }), keys: "mod+1", icon: MessageSquare, run: () => goTo("chat") },
    { id: "go.models", title: t("palette.goTo", { place: t("place.models") }), keys: "mod+2", icon: Box, run: () => goTo("models") },
    { id: "go.memory", title: t("palette.goTo", { place: t("place.memory") }), keys: "mod+3", icon: Cpu, run: () => goTo("memory") },
    {
      id: "go.settings",
      title: t("palette.goTo", { place: t("place.settings") }),
      keys: "mod+,",
      icon: SlidersHorizontal,
      run: () => goTo("settings"),
    },
    { id: "palette", title: t("palette.title"), keys: "mod+k", icon: CommandIcon, run: () => showDialog("palette") },
    { id: "shortcuts", title: t("shortcuts.title"), keys: "?", icon: Keyboard, run: () => showDialog("shortcuts") },
  ]
}

export function allCommands(): Command[] {
  return [...chatCommands(), ...addingCommands(), ...modelCommands(), ...frameCommands(), ...settingsCommands()]
}
