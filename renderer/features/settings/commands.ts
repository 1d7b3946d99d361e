import { ClipboardCopy, Languages, SunMoon } from "lucide-react"
import { Settings } from "../../../shared/schema/settings.ts"
import type { Command } from "../../lib/commands.ts"
import { t } from "../../lib/i18n.ts"
import { change, copyDiagnostics } from "./actions.ts"

export function settingsCommands(): Command[] {
  const { theme, language } = Settings.shape
  return [
    ...theme.unwrap().options.map((value) => ({
      id: `settings.theme.${value}`,
      title: t("settings.themeCommand", { choice: t(`settings.themeChoice.${value}`) }),
      icon: SunMoon,
      run: () => void change({ theme: value }),
    })),
    ...language.unwrap().options.map((value) => ({
      id: `settings.language.${value}`,
      title: t("settings.languageCommand", { choice: t(`settings.languageChoice.${value}`) }),
      icon: Languages,
      run: () => void change({ language: value }),
    })),
    { id: "settings.diagnostics", title: t("settings.copyDiagnostics"), icon: ClipboardCopy, run: () => void copyDiagnostics() },
  ]
}
