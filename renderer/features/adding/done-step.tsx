// Step 5: what was made, and where to go on with it.
import { MessageSquare, Plus } from "lucide-react"
import { useEffect, useState } from "react"
import { useTranslation } from "react-i18next"
import type { Addition } from "../../../shared/schema/addition.ts"
import { client } from "../../lib/client.ts"
import { attempt, describeFailure } from "../../lib/failure.ts"
import { formatBytes, formatName } from "../../lib/format.ts"
import { useMain } from "../../lib/mirror.ts"
import { openAdding } from "../../lib/navigation.ts"
import { Button } from "../../ui/button.tsx"
import { CodeBlock } from "../../ui/code-block.tsx"
import { CopyButton } from "../../ui/copy-button.tsx"
import { showFailure } from "../../ui/toast.tsx"
import { chatWith } from "./actions.ts"
import { CheckCard } from "./check-card.tsx"

export function DoneStep({ addition }: { addition: Addition }) {
  const { t } = useTranslation()
  const model = useMain((main) => main.models.find(({ id }) => id === addition.modelId) ?? null)
  if (!model)
    return <p className="rounded-card border border-line bg-card px-4 py-8 text-center text-13 text-ink-2">{t("adding.modelGone")}</p>
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_360px] items-start gap-6 max-lg:grid-cols-1">
      <section aria-label={model.name} className="min-w-0 rounded-card border border-line bg-card p-4">
        <h2 className="text-16 font-semibold tracking-title">
          {t("adding.ready", { name: model.name, format: formatName(model.format) })}
        </h2>
        <p className="mt-1 text-13 text-ink-2">{t("adding.onDisk", { size: formatBytes(model.disk_bytes) })}</p>
        <p className="mt-2 flex items-start gap-1">
          <span className="min-w-0 flex-1 font-mono text-12 leading-7 wrap-anywhere text-ink-2 select-text">{model.path}</span>
          <CopyButton label={t("models.copyPath")} doneLabel={t("chat.copied")} text={() => model.path} />
        </p>
        <div className="my-4 flex flex-wrap gap-2">
          {model.supported && (
            <Button kind="primary" icon={MessageSquare} onClick={() => chatWith(model.id, addition.options.context)}>
              {t("adding.chat")}
            </Button>
          )}
          <Button icon={Plus} onClick={() => openAdding("new")}>
            {t("adding.another")}
          </Button>
        </div>
        <PythonLines modelId={model.id} />
      </section>
      {addition.options.format !== "stored" && <CheckCard addition={addition} />}
    </div>
  )
}

function PythonLines({ modelId }: { modelId: string }) {
  const { t } = useTranslation()
  const [python, setPython] = useState<string | null>(null)
  useEffect(() => {
    void attempt(
      () => client["models.snippets"]({ modelId }),
      (error) => showFailure(describeFailure(error)),
    ).then((found) => found && setPython(found.python))
  }, [modelId])
  if (python === null) return null
  return (
    <CodeBlock title={t("models.usePython")} copyLabel={t("chat.copyCode")} copiedLabel={t("chat.copied")}>
      {python}
    </CodeBlock>
  )
}
