// Theme and language follow the settings; "system" leaves the theme to CSS and the language to the browser.
import { i18n, languageOfBrowser } from "./i18n.ts"
import { mirror } from "./mirror.ts"

export function startAppearance(): void {
  const apply = () => {
    const settings = mirror.get().snapshot?.settings
    const root = document.documentElement
    const theme = settings?.theme ?? "system"
    if (theme === "system") delete root.dataset.theme
    else root.dataset.theme = theme
    const wanted = settings?.language ?? "system"
    const language = wanted === "system" ? languageOfBrowser() : wanted
    root.lang = language
    if (i18n.language !== language) void i18n.changeLanguage(language)
  }
  apply()
  mirror.subscribe((part, before) => part.snapshot?.settings !== before.snapshot?.settings && apply())
}
