// Step 4: the tensors as they are quantized, what stays in 16 bits and why, and how good the result is.
import { useEffect, useState } from "react"
import { useTranslation } from "react-i18next"
import type { Addition, TensorError } from "../../../shared/schema/addition.ts"
import { client } from "../../lib/client.ts"
import { attempt } from "../../lib/failure.ts"
import { formatBytes, formatCount, formatDecimal, formatMagnitude } from "../../lib/format.ts"
import { CheckCard } from "./check-card.tsx"
import { Figures, WorkFooter } from "./download-step.tsx"
import { AdditionFailure } from "./failure.tsx"
import { shadeOf, tensorMap } from "./tensor-map.ts"

export function QuantizeStep({ addition }: { addition: Addition }) {
  const { t } = useTranslation()
  const isStored = addition.options.format === "stored"
  return (
    <>
      <AdditionFailure addition={addition} />
      <div className="grid grid-cols-[minmax(0,1fr)_360px] items-start gap-6 max-lg:grid-cols-1">
        <section aria-label={t("adding.step.quantize")} className="min-w-0 rounded-card border border-line bg-card p-4">
          {isStored ? (
            <p className="text-13 text-ink-2">{t("adding.stepDetail.nothingToQuantize")}</p>
          ) : (
            <>
              <Figures title={t("adding.quantizing")} progress={addition.quantize} />
              <Tensors addition={addition} />
              <Kept kept={addition.kept} />
            </>
          )}
        </section>
        {!isStored && <CheckCard addition={addition} />}
      </div>
      <WorkFooter addition={addition} />
    </>
  )
}

const poll_ms = 1000

/** Asked for once a second while it grows: hundreds of numbers, which the record does not carry. */
function useTensors({ id, state, quantize }: Addition): TensorError[] {
  const [tensors, setTensors] = useState<TensorError[]>([])
  const isGrowing = state === "running" && (quantize === null || quantize.done < quantize.total)
  useEffect(() => {
    const read = async () => {
      const found = await attempt(
        () => client["additions.tensors"]({ id }),
        () => {
          // The progress beside it goes on; the next second asks again.
        },
      )
      if (found) setTensors(found)
    }
    void read()
    if (!isGrowing) return
    const timer = setInterval(() => void read(), poll_ms)
    return () => clearInterval(timer)
  }, [id, isGrowing])
  return tensors
}

function Tensors({ addition }: { addition: Addition }) {
  const { t } = useTranslation()
  const map = tensorMap(useTensors(addition))
  const isKnown = Number.isFinite(map.most)
  if (map.layers === 0) return null
  return (
    <div className="mt-4">
      <div className="mb-2 flex flex-wrap items-center gap-x-3 gap-y-1 text-12 text-ink-3">
        <p className="flex-1">{t("adding.errorOfTensors")}</p>
        {isKnown && (
          <span className="num inline-flex items-center gap-2">
            {formatMagnitude(map.least)}
            <span
              aria-hidden
              className="h-2 w-24 rounded-small bg-[linear-gradient(to_right,color-mix(in_oklab,var(--own-weights)_18%,transparent),var(--own-weights))]"
            />
            {formatMagnitude(map.most)}
          </span>
        )}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <section tabIndex={0} aria-label={t("adding.errorOfTensors")} className="overflow-x-auto">
        <table className="border-separate border-spacing-0.5 text-12">
          <caption className="sr-only">{t("adding.errorOfTensors")}</caption>
          <thead className="sr-only">
            <tr>
              <th scope="col">{t("adding.kindOfTensor")}</th>
              {Array.from({ length: map.layers }, (_, layer) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the number of a layer is what it is called by.
                <th key={layer} scope="col">
                  {formatCount(layer)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {map.cells.map((row, index) => (
              <tr key={map.kinds[index]}>
                <th scope="row" className="sticky left-0 bg-card pr-3 text-left font-mono font-normal whitespace-nowrap text-ink-2">
                  {map.kinds[index]}
                </th>
                {row.map((error, layer) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the number of a layer is what it is called by.
                  <td key={layer} className="p-0">
                    {error !== undefined && (
                      <span
                        title={error === null ? undefined : `${map.kinds[index]} ${layer}: ${formatDecimal(error, 4)}`}
                        className="block size-4 rounded-[3px] border border-line-strong"
                        style={
                          error === null
                            ? undefined
                            : {
                                background: `color-mix(in oklab, var(--own-weights) ${18 + 82 * shadeOf(error, map)}%, transparent)`,
                                borderColor: "transparent",
                              }
                        }
                      >
                        <span className="sr-only">{error === null ? t("adding.notYet") : formatDecimal(error, 4)}</span>
                      </span>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  )
}

function Kept({ kept }: { kept: Addition["kept"] }) {
  const { t } = useTranslation()
  if (kept.length === 0) return null
  return (
    <table className="mt-4 w-full text-13">
      <thead>
        <tr className="text-12 text-ink-3">
          <th className="py-1.5 text-left font-medium">{t("adding.kept")}</th>
          <th className="py-1.5 pl-3 text-right font-medium">{t("adding.bytes")}</th>
          <th className="py-1.5 pl-6 text-left font-medium">{t("adding.why")}</th>
        </tr>
      </thead>
      <tbody>
        {kept.map(({ reason, tensors, bytes, examples }) => (
          <tr key={reason} className="border-t border-line align-top">
            <td className="py-2 font-mono text-12 wrap-anywhere">
              {examples.slice(0, 2).join(", ")}
              {tensors > 2 && <span className="font-sans text-ink-3"> {t("adding.andMore", { count: tensors - 2 })}</span>}
            </td>
            <td className="num py-2 pl-3 text-right whitespace-nowrap">{formatBytes(bytes)}</td>
            <td lang="en" className="py-2 pl-6 text-ink-2">
              {reason}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
