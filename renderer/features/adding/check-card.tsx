// How much the format changes the model: typical until it is measured here.
import { useTranslation } from "react-i18next"
import type { Addition } from "../../../shared/schema/addition.ts"
import type { QualityReport } from "../../../shared/schema/quality.ts"
import { formatCount, formatDecimal, formatMagnitude, formatName } from "../../lib/format.ts"
import { ProgressBar } from "../../ui/progress-bar.tsx"
import { adding, chosenRow } from "./state.ts"

export function CheckCard({ addition }: { addition: Addition }) {
  const { t } = useTranslation()
  const { check, options } = addition
  return (
    <section aria-label={t("adding.check.title")} className="rounded-card border border-line bg-card p-4">
      <h2 className="mb-2 text-16 font-semibold tracking-title">{t("adding.check.title")}</h2>
      {check.state === "done" ? (
        <Report report={check.report} />
      ) : (
        <>
          <Typical addition={addition} />
          {check.state === "running" && (
            <>
              <p role="status" className="mt-3 mb-2 text-13 text-ink-2">
                {t("adding.check.running")}
              </p>
              <ProgressBar
                label={t("adding.check.title")}
                fraction={check.progress.total > 0 ? check.progress.done / check.progress.total : check.progress.done}
              />
            </>
          )}
          {check.state === "waiting" && (
            <p className="mt-2 text-13 text-ink-3">{t(options.check ? "adding.check.later" : "adding.check.off")}</p>
          )}
          {check.state === "skipped" && (
            <p className="mt-2 text-13 text-ink-2">
              {t("adding.check.skipped")} <span lang="en">{check.reason}</span>
            </p>
          )}
        </>
      )}
    </section>
  )
}

/** What is usual for a model of this size, until it is measured. */
function Typical({ addition }: { addition: Addition }) {
  const { t } = useTranslation()
  const quality = adding.use(({ plan }) => {
    const report = plan?.additionId === addition.id ? plan.report : null
    return report ? (chosenRow(report, addition.options.format)?.quality ?? null) : null
  })
  if (!quality || quality.basis === "reference") return null
  return (
    <p>
      <span className="num text-28 font-semibold">{formatDecimal(quality.sameTopToken * 100, 1)}</span>{" "}
      <span className="text-13 text-ink-2">{t("adding.check.sameWord", { basis: t(`adding.basis.${quality.basis}`) })}</span>
    </p>
  )
}

export function Report({ report }: { report: QualityReport }) {
  const { t } = useTranslation()
  const [first] = report.formats
  const head = "py-1.5 pl-3 text-right font-medium"
  return (
    <>
      {first && (
        <p className="mb-2">
          <span className="num text-28 font-semibold">{formatDecimal(first.sameTopToken * 100, 1)}</span>{" "}
          <span className="text-13 text-ink-2">{t("adding.check.sameWord", { basis: t("adding.basis.measured") })}</span>
        </p>
      )}
      <div className="overflow-x-auto">
        <table className="num w-full text-13">
          <thead>
            <tr className="text-12 text-ink-3">
              <th className="py-1.5 text-left font-medium">{t("models.format")}</th>
              <th className={head}>{t("adding.check.same")}</th>
              <th className={head}>{t("adding.check.perplexity")}</th>
              <th className={head}>{t("adding.check.kl")}</th>
            </tr>
          </thead>
          <tbody>
            {[report.original, ...report.formats].map((one, index) => (
              <tr key={one.format + String(index)} className="border-t border-line">
                <th scope="row" className="py-1.5 text-left font-normal">
                  {formatName(one.format)}
                </th>
                <td className="py-1.5 pl-3 text-right">{formatDecimal(one.sameTopToken * 100, 1)}</td>
                <td className="py-1.5 pl-3 text-right">{formatMagnitude(one.perplexity)}</td>
                <td className="py-1.5 pl-3 text-right">
                  {one === report.original ? (
                    <span className="text-12 text-ink-3">{t("adding.basis.reference")}</span>
                  ) : (
                    <>
                      {formatMagnitude(one.klMean)}
                      <span className="block text-12 text-ink-3">{t("adding.check.most", { value: formatMagnitude(one.klMax) })}</span>
                    </>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="mt-2 text-12 leading-prose text-ink-3">
        {t("adding.check.about", {
          text: report.text === "bundled" ? t("adding.check.bundled") : report.text,
          n: formatCount(report.tokens),
        })}
      </p>
    </>
  )
}
