// What stands under a reply that failed: cause, numbers and one button. If the engine is gone, the button loads the same model again.
import { RotateCw } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import type { ErrorData } from "../../../shared/schema/error.ts"
import { client } from "../../lib/client.ts"
import { attempt, failureTitle } from "../../lib/failure.ts"
import { formatCount } from "../../lib/format.ts"
import { useMain } from "../../lib/mirror.ts"
import { goTo } from "../../lib/navigation.ts"
import { Button } from "../../ui/button.tsx"
import { Note } from "../../ui/note.tsx"

interface FailureNoteProps {
  error: { code: string; message: string }
  /** Tokens of the partial reply; "some" where nobody counted them, null where there is none. */
  kept: number | "some" | null
  again?: (() => void) | undefined
  /** What can be done about it is offered once, at the end of the conversation. */
  isPast?: boolean
}

export function FailureNote({ error, kept, again, isPast = false }: FailureNoteProps) {
  const { t } = useTranslation()
  const isLoaded = useMain((main) => main.load.state === "ready")
  const whatIsKept =
    kept === null ? "" : kept === "some" ? ` ${t("chat.keptText")}` : ` ${t("chat.kept", { count: kept, n: formatCount(kept) })}`
  const action =
    error.code === "engine_lost" && !isLoaded ? (
      <ReloadButton />
    ) : error.code === "out_of_memory" ? (
      <Button onClick={() => goTo("models")}>{t("chat.chooseSmaller")}</Button>
    ) : (
      again && (
        <Button icon={RotateCw} onClick={again}>
          {t("chat.answerAgain")}
        </Button>
      )
    )
  return (
    <Note tone="stop" className="mt-3" title={failureTitle(error.code)} action={isPast ? undefined : action}>
      {error.message}
      {whatIsKept}
    </Note>
  )
}

/** Loads the model that was there, with the settings it had. */
export function ReloadButton() {
  const { t } = useTranslation()
  const load = useMain((main) => main.load)
  const lastModelId = useMain((main) => main.settings.lastModelId)
  const [error, setError] = useState<ErrorData | null>(null)
  const modelId = load.state === "failed" || load.state === "loading" ? load.modelId : lastModelId
  if (modelId === null) return <Button onClick={() => goTo("models")}>{t("chat.chooseModel")}</Button>
  const isLoading = load.state === "loading"
  return (
    <span className="flex flex-col items-end gap-1">
      <Button
        kind="primary"
        icon={RotateCw}
        disabled={isLoading}
        onClick={() => void attempt(() => client["models.load"]({ modelId }), setError)}
      >
        {isLoading ? t("load.loading") : t("chat.reload")}
      </Button>
      {error && !isLoading && <span className="max-w-[280px] text-12 text-stop">{error.message}</span>}
    </span>
  )
}
