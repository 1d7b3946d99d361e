import { useTranslation } from "react-i18next"
import { formatBytes, formatCount, formatName } from "../../lib/format.ts"
import { Dialog } from "../../ui/dialog.tsx"
import { MemoryBar, OwnerSwatch, partsAsSegments } from "../../ui/memory-bar.tsx"
import type { Judged } from "./accuracy.ts"
import { mebibytes, signedBytes, signedPercent } from "./figures.ts"

/** One prediction owner by owner, with what was measured of the whole. */
export function PredictionDialog({ judged: { prediction, errorBytes, errorShare }, onClose }: { judged: Judged; onClose(): void }) {
  const { t, i18n } = useTranslation()
  const { modelName, format, kind, context, tokens, parts, predictedBytes, peakBytes, at } = prediction
  const segments = partsAsSegments(parts)
  const scale = Math.max(predictedBytes, peakBytes)
  const when = new Intl.DateTimeFormat(i18n.language, { dateStyle: "medium", timeStyle: "short" }).format(at)
  const about = [
    formatName(format),
    t(`memory.accuracy.kind.${kind}`),
    t("memory.accuracy.ofContext", { tokens: formatCount(tokens), length: formatCount(context) }),
    when,
  ]
  const sums = [
    { name: t("memory.accuracy.predicted"), value: mebibytes(predictedBytes) },
    { name: t("memory.accuracy.peak"), value: mebibytes(peakBytes) },
    { name: t("memory.accuracy.difference"), value: `${signedBytes(errorBytes)} (${signedPercent(errorShare)} %)` },
  ]
  return (
    <Dialog isOpen onClose={onClose} title={modelName} description={about.join(" · ")} closeLabel={t("common.close")} width={480}>
      <MemoryBar segments={segments} scale={scale} form="outline" limit={peakBytes} hasTrack={false} />
      <p className="num mt-2 text-12 text-ink-3">{t("memory.accuracy.line", { size: formatBytes(peakBytes) })}</p>
      <table className="num mt-3 w-full border-collapse text-13">
        <caption className="sr-only">{t("memory.byOwner")}</caption>
        <thead className="text-12 text-ink-3">
          <tr>
            <th scope="col" className="pb-1 text-left font-normal">
              {t("memory.ownerHead")}
            </th>
            <th scope="col" className="pb-1 text-right font-normal">
              MiB
            </th>
          </tr>
        </thead>
        <tbody>
          {segments.map(({ owner, bytes }) => (
            <tr key={owner}>
              <th scope="row" className="h-[22px] text-left font-normal">
                <span className="flex items-center gap-2.5">
                  <OwnerSwatch owner={owner} form="outline" />
                  {t(`memory.owner.${owner}`)}
                </span>
              </th>
              <td className="text-right">{mebibytes(bytes)}</td>
            </tr>
          ))}
          {sums.map(({ name, value }) => (
            <tr key={name} className="border-t border-line font-semibold">
              <th scope="row" className="h-7 text-left font-semibold">
                {name}
              </th>
              <td className="text-right">{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="mt-3 text-12 leading-prose text-ink-3">{t("memory.accuracy.onlyWhole")}</p>
    </Dialog>
  )
}
