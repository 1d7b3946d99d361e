// An addition that could not go on: what, why, and one button; where terms or a token are missing, the way to them.
import { Play } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { Addition } from "../../../shared/schema/addition.ts"
import { describeFailure } from "../../lib/failure.ts"
import { goTo } from "../../lib/navigation.ts"
import { Button } from "../../ui/button.tsx"
import { FailureNote } from "../../ui/failure-note.tsx"
import { Note } from "../../ui/note.tsx"
import { start } from "./actions.ts"
import { TokenField } from "./model-panel.tsx"

export function AdditionFailure({ addition: { id, error, helpUrl } }: { addition: Addition }) {
  const { t } = useTranslation()
  if (!error) return null
  const isClosed = error.code === "no_permission" && helpUrl !== null
  return (
    <FailureNote
      className="mb-4"
      failure={describeFailure(error)}
      action={
        <>
          {error.code === "no_space" && (
            <Button size="small" onClick={() => goTo("settings")}>
              {t("adding.toStorage")}
            </Button>
          )}
          <Button size="small" icon={Play} onClick={() => void start(id)}>
            {t("adding.again")}
          </Button>
        </>
      }
    >
      {isClosed && <Terms helpUrl={helpUrl} />}
    </FailureNote>
  )
}

/** A gated model that was chosen before its terms were accepted. */
export function ClosedAddition({ addition: { id, helpUrl } }: { addition: Addition }) {
  const { t } = useTranslation()
  return (
    <Note
      tone="caution"
      title={t("adding.closed.gated")}
      action={
        <Button size="small" onClick={() => void start(id)}>
          {t("adding.again")}
        </Button>
      }
    >
      <p>{t("adding.closedDetail.gated")}</p>
      {helpUrl && <Terms helpUrl={helpUrl} />}
    </Note>
  )
}

function Terms({ helpUrl }: { helpUrl: string }) {
  const { t } = useTranslation()
  return (
    <div className="mt-2 max-w-[420px]">
      <p className="mb-3">
        <a href={helpUrl} target="_blank" rel="noopener noreferrer" className="text-accent-ink underline underline-offset-2">
          {t("adding.openPage")}
        </a>
      </p>
      <TokenField />
    </div>
  )
}
