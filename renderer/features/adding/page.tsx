import { useTranslation } from "react-i18next"

/** `adding`: "new", or the id of an addition. */
export function AddingPage({ adding }: { adding: string }) {
  const { t } = useTranslation()
  return (
    <h1 className="p-8 text-16 font-semibold tracking-title" data-adding={adding}>
      {t("adding.title")}
    </h1>
  )
}
