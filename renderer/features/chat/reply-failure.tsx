// What stands under a reply that failed: cause, numbers and one button. If the engine is gone, the button loads the same model again.
import { RotateCw } from "lucide-react"
import { useTranslation } from "react-i18next"
import { client } from "../../lib/client.ts"
import { type AnyError, attempt, describeFailure } from "../../lib/failure.ts"
import { formatCount } from "../../lib/format.ts"
import { useMain } from "../../lib/mirror.ts"
import { goTo } from "../../lib/navigation.ts"
import { Button } from "../../ui/button.tsx"
import { FailureNote } from "../../ui/failure-note.tsx"
import { showFailure } from "../../ui/toast.tsx"

interface ReplyFailureProps {
  error: AnyError
  /** Tokens of the partial reply; "some" where nobody counted them, null where there is none. */
  kept: number | "some" | null
  again?: (() => void) | undefined
  /** What can be done about it is offered once, at the end of the conversation. */
  isPast?: boolean
}

export function ReplyFailure({ error, kept, again, isPast = false }: ReplyFailureProps) {
  const { t } = useTranslation()
  const isLoaded = useMain((main) => main.load.state === "ready")
  const whatIsKept = kept === null ? null : kept === "some" ? t("chat.keptText") : t("chat.kept", { count: kept, n: formatCount(kept) })
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
    <FailureNote className="mt-3" failure={describeFailure(error)} action={isPast ? undefined : action}>
      {whatIsKept && <p>{whatIsKept}</p>}
    </FailureNote>
  )
}

/** Most failures come as the state of the load, which has its own note. */
const say = (error: AnyError) => error.code === "busy" && showFailure(describeFailure(error))

/** Loads the model that was there, with the settings it had. */
export function ReloadButton() {
  const { t } = useTranslation()
  const load = useMain((main) => main.load)
  const lastModelId = useMain((main) => main.settings.lastModelId)
  const modelId = load.state === "failed" || load.state === "loading" ? load.modelId : lastModelId
  if (modelId === null) return <Button onClick={() => goTo("models")}>{t("chat.chooseModel")}</Button>
  const isLoading = load.state === "loading"
  return (
    <Button kind="primary" icon={RotateCw} disabled={isLoading} onClick={() => void attempt(() => client["models.load"]({ modelId }), say)}>
      {isLoading ? t("load.loading") : t("chat.reload")}
    </Button>
  )
}
