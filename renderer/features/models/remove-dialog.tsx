import { Trash2 } from "lucide-react"
import { useEffect, useState } from "react"
import { useTranslation } from "react-i18next"
import type { Removal } from "../../../shared/contract/app.ts"
import type { ErrorData } from "../../../shared/schema/error.ts"
import type { InstalledModel } from "../../../shared/schema/model.ts"
import { client } from "../../lib/client.ts"
import { attempt, describeFailure } from "../../lib/failure.ts"
import { formatBytes } from "../../lib/format.ts"
import { Button } from "../../ui/button.tsx"
import { Dialog } from "../../ui/dialog.tsx"
import { FailureNote } from "../../ui/failure-note.tsx"
import { removeModel } from "./actions.ts"
import { models } from "./state.ts"

/** Files cannot be brought back, so here the page asks; the button says how much goes. */
export function RemoveDialog({ model }: { model: InstalledModel }) {
  const { t } = useTranslation()
  const [error, setError] = useState<ErrorData | null>(null)
  const [removal, setRemoval] = useState<Removal | null>(null)
  useEffect(() => {
    void attempt(() => client["models.removal"]({ modelId: model.id }), setError).then((found) => found && setRemoval(found))
  }, [model.id])
  const close = () => models.update({ dialog: null })
  return (
    <Dialog
      isOpen
      onClose={close}
      title={t("remove.title", { name: model.name })}
      description={model.isOwned ? t("remove.owned") : t("remove.notOwned")}
      closeLabel={t("common.close")}
      width={480}
      footer={
        <>
          <Button kind="ghost" onClick={close}>
            {t("common.cancel")}
          </Button>
          <Button kind="danger" icon={Trash2} onClick={() => void attempt(() => removeModel(model.id), setError)}>
            {model.isOwned ? t("remove.delete", { size: formatBytes(removal?.freedBytes ?? model.disk_bytes) }) : t("remove.takeOff")}
          </Button>
        </>
      }
    >
      <p className="font-mono text-12 wrap-anywhere text-ink-2">{model.path}</p>
      {removal && removal.usedBy.length > 0 && (
        <ul className="mt-3 flex flex-col gap-1 text-13 text-ink-2">
          {removal.usedBy.map(({ kind, name }) => (
            <li key={kind + name}>{t(`remove.usedBy.${kind}`, { name })}</li>
          ))}
        </ul>
      )}
      {error && <FailureNote className="mt-3" failure={describeFailure(error)} />}
    </Dialog>
  )
}
