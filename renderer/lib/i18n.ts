// English and Chinese, both written by hand; the keys of both are the same (a test compares them).
import i18next from "i18next"
import { initReactI18next } from "react-i18next"
import { en, zh } from "./locales/locales.ts"

export const languages = ["en", "zh"] as const
export type Language = (typeof languages)[number]

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation"
    resources: { translation: typeof en }
  }
}

void i18next.use(initReactI18next).init({
  resources: { en: { translation: en }, zh: { translation: zh } },
  lng: "en",
  fallbackLng: "en",
  initAsync: false,
  // React escapes what it shows.
  interpolation: { escapeValue: false },
})

export const t = i18next.t
export const i18n = i18next

export function languageOfBrowser(): Language {
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en"
}
