import { useTranslation } from "react-i18next"

export function MemoryPage() {
  const { t } = useTranslation()
  return <h1 className="p-8 text-16 font-semibold tracking-title">{t("memory.whatIs")}</h1>
}
