import { useTranslation } from "react-i18next"
import { Note } from "../../ui/note.tsx"

/** Of a model that cannot run here: what it is good for, and why it cannot. */
export function OnlyQuantizable({ reason, className }: { reason: string | null; className?: string }) {
  const { t } = useTranslation()
  return (
    <Note tone="plain" className={className} title={t("models.onlyQuantizable")}>
      <p>{t("models.onlyQuantizableDetail")}</p>
      <p lang="en" className="mt-1 text-12">
        {reason}
      </p>
    </Note>
  )
}
