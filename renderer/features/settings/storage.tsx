import { Trash2 } from "lucide-react"
import { useCallback, useEffect, useState } from "react"
import { useTranslation } from "react-i18next"
import type { ErrorData } from "../../../shared/schema/error.ts"
import type { StorageReport } from "../../../shared/schema/storage.ts"
import { client } from "../../lib/client.ts"
import { attempt, describeFailure } from "../../lib/failure.ts"
import { formatBytes, formatCount } from "../../lib/format.ts"
import { useMain } from "../../lib/mirror.ts"
import { Button } from "../../ui/button.tsx"
import { FailureNote } from "../../ui/failure-note.tsx"
import { cleanStorage } from "./actions.ts"
import { Section } from "./sections.tsx"

/** What of the disk is Nibble's, folder by folder. Counted when it is looked at, and when models come or go. */
export function StorageSettings() {
  const { t } = useTranslation()
  const models = useMain((main) => main.models)
  const [report, setReport] = useState<StorageReport | null>(null)
  const [error, setError] = useState<ErrorData | null>(null)
  const read = useCallback(async () => {
    const next = await attempt(() => client["storage.report"](undefined), setError)
    if (next) setReport(next)
  }, [])
  // biome-ignore lint/correctness/useExhaustiveDependencies: what lies on the disk changes with the models.
  useEffect(() => void read(), [read, models])
  const cleanable = report?.folders.reduce((sum, folder) => sum + folder.cleanableBytes, 0) ?? 0
  return (
    <Section title={t("settings.storage")}>
      {error && <FailureNote failure={describeFailure(error)} />}
      {report && (
        <>
          <div className="overflow-x-auto">
            <table className="w-full text-13">
              <thead>
                <tr className="text-12 text-ink-3">
                  <th className="py-1.5 text-left font-medium">{t("settings.folder")}</th>
                  <th className="py-1.5 pl-3 text-right font-medium">{t("settings.files")}</th>
                  <th className="py-1.5 pl-3 text-right font-medium">{t("settings.size")}</th>
                </tr>
              </thead>
              <tbody>
                {report.folders.map((folder) => (
                  <tr key={folder.kind} className="border-t border-line align-top">
                    <td className="py-2">
                      {t(`settings.folderKind.${folder.kind}`)}
                      <p className="mt-0.5 font-mono text-12 wrap-anywhere text-ink-3 select-text">{folder.path}</p>
                    </td>
                    <td className="num py-2 pl-3 text-right">{formatCount(folder.files)}</td>
                    <td className="num py-2 pl-3 text-right whitespace-nowrap">{formatBytes(folder.bytes)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <div className="flex flex-wrap items-center gap-3">
            <p className="min-w-[200px] flex-1 text-12 leading-prose text-ink-3">
              {t("settings.diskFree", { free: formatBytes(report.freeBytes), total: formatBytes(report.totalBytes) })}{" "}
              {t("settings.dataFolderHint")}
            </p>
            {cleanable > 0 && (
              <Button icon={Trash2} onClick={() => void cleanStorage().then(read)}>
                {t("settings.clean", { size: formatBytes(cleanable) })}
              </Button>
            )}
          </div>
        </>
      )}
    </Section>
  )
}
