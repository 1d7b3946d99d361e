// Everything that is known of an installed model, and the lines to go on with it elsewhere.
import { useEffect, useState } from "react"
import { useTranslation } from "react-i18next"
import type { ErrorData } from "../../../shared/schema/error.ts"
import type { InstalledModel } from "../../../shared/schema/model.ts"
import { client } from "../../lib/client.ts"
import { attempt, describeFailure } from "../../lib/failure.ts"
import { formatBytes, formatCount, formatLicense, formatName, formatParameters } from "../../lib/format.ts"
import { CodeBlock } from "../../ui/code-block.tsx"
import { CopyButton } from "../../ui/copy-button.tsx"
import { Dialog } from "../../ui/dialog.tsx"
import { FailureNote } from "../../ui/failure-note.tsx"
import { models, sourceOf } from "./state.ts"

export function DetailsDialog({ model }: { model: InstalledModel }) {
  const { t } = useTranslation()
  const source = sourceOf(model.source)
  const facts: [string, string][] = [
    [t("models.format"), formatName(model.format)],
    [t("models.size"), formatBytes(model.disk_bytes)],
    [t("models.parameters"), formatParameters(model.parameters)],
    [t("models.architecture"), model.architecture],
    [t("models.context"), t("models.contextTokens", { n: formatCount(model.context_length) })],
    [t("models.license"), formatLicense(model.license)],
    ...(source.name ? [[t("models.from"), source.name] as [string, string]] : []),
    ...(source.revision ? [[t("models.revision"), source.revision] as [string, string]] : []),
  ]
  return (
    <Dialog
      isOpen
      onClose={() => models.update({ dialog: null })}
      title={`${model.name} · ${formatName(model.format)}`}
      closeLabel={t("common.close")}
      width={720}
    >
      <dl className="grid grid-cols-[max-content_1fr] gap-x-6 gap-y-1.5 text-13">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-ink-3">{name}</dt>
            <dd className="wrap-anywhere select-text">{value}</dd>
          </div>
        ))}
        <dt className="text-ink-3">{t("models.folder")}</dt>
        <dd className="flex min-w-0 items-start gap-1">
          <span className="min-w-0 flex-1 font-mono text-12 leading-5 wrap-anywhere select-text">{model.path}</span>
          <CopyButton label={t("models.copyPath")} doneLabel={t("chat.copied")} text={() => model.path} />
        </dd>
      </dl>
      <Snippets modelId={model.id} />
    </Dialog>
  )
}

function Snippets({ modelId }: { modelId: string }) {
  const { t } = useTranslation()
  const [snippets, setSnippets] = useState<{ python: string; vllm: string } | null>(null)
  const [error, setError] = useState<ErrorData | null>(null)
  useEffect(() => {
    void attempt(() => client["models.snippets"]({ modelId }), setError).then((found) => found && setSnippets(found))
  }, [modelId])
  if (error) return <FailureNote className="mt-5" failure={describeFailure(error)} />
  if (!snippets) return null
  const labels = { copyLabel: t("chat.copyCode"), copiedLabel: t("chat.copied") }
  return (
    <div className="mt-5 flex flex-col gap-4">
      <CodeBlock title={t("models.usePython")} {...labels}>
        {snippets.python}
      </CodeBlock>
      <CodeBlock title={t("models.useVllm")} {...labels}>
        {snippets.vllm}
      </CodeBlock>
    </div>
  )
}
