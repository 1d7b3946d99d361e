// "What can this computer run?": sizes of models against formats, computed by the planner.
import { useTranslation } from "react-i18next"
import { type CapacityTable, PlanVerdict } from "../../../shared/schema/plan.ts"
import { formatBytes, formatCount, formatName, formatTokensPerS } from "../../lib/format.ts"
import { FailureNote } from "../../ui/failure-note.tsx"
import { SelectField } from "../../ui/select-field.tsx"
import { VerdictIcon, verdictColors } from "../../ui/verdict-icon.tsx"
import { loadCapacity } from "./actions.ts"
import { memoryPart } from "./state.ts"

const here = "here"

export function CapacitySection() {
  const { t } = useTranslation()
  const { computer, table, failure } = memoryPart.use((part) => part.capacity)
  const computers = memoryPart.use((part) => part.computers)
  const options = [{ value: here, label: t("memory.thisComputer") }, ...computers.map(({ id, label }) => ({ value: id, label }))]
  return (
    <section aria-labelledby="memory-capacity" className="border-t border-line px-8 pt-4.5 pb-8 max-sm:px-4">
      <div className="mb-3 flex flex-wrap items-end gap-x-3 gap-y-2">
        <div className="min-w-[220px] flex-1">
          <h2 id="memory-capacity" className="text-16 font-semibold tracking-title">
            {t("memory.capacity.title")}
          </h2>
          {table && <p className="num mt-1 text-13 text-ink-2">{t("memory.capacity.about", { length: formatCount(table.context) })}</p>}
        </div>
        <div className="w-[280px] max-sm:w-full">
          <SelectField
            label={t("memory.computer")}
            value={computer ?? here}
            options={options}
            onChange={(id) => void loadCapacity(id === here ? null : id)}
          />
        </div>
      </div>
      {failure && <FailureNote failure={failure} />}
      {table && <Cells table={table} />}
      {!table && !failure && <p className="text-13 text-ink-3">{t("memory.planning")}</p>}
    </section>
  )
}

function Cells({ table: { models, formats } }: { table: CapacityTable }) {
  const { t } = useTranslation()
  const stuck = "sticky left-0 z-10 bg-canvas py-2 pr-3 text-left"
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms. */}
      <div role="group" aria-label={t("memory.capacity.title")} tabIndex={0} className="overflow-x-auto">
        <table className="num w-full min-w-[640px] border-collapse text-13">
          <thead className="text-12 text-ink-3">
            <tr>
              <th scope="col" className={`${stuck} font-medium`}>
                {t("memory.model")}
              </th>
              {formats.map((format) => (
                <th key={format} scope="col" className="px-3 py-2 text-right font-medium whitespace-nowrap">
                  {formatName(format)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {models.map(({ name, cells }) => (
              <tr key={name} className="border-t border-line">
                <th scope="row" className={`${stuck} font-medium whitespace-nowrap`}>
                  {name}
                </th>
                {cells.map(({ total_bytes, verdict, tokensPerS }, index) => (
                  <td key={formats[index]} className="px-3 py-2 text-right align-top whitespace-nowrap">
                    <span className="inline-flex items-center justify-end gap-1.5">
                      <VerdictIcon verdict={verdict} size={14} />
                      {formatBytes(total_bytes)}
                    </span>
                    <span className="block text-12">
                      <span className={verdictColors[verdict]}>{t(`memory.verdict.${verdict}`)}</span>
                      {tokensPerS !== null && verdict !== "too_big" && (
                        <span className="text-ink-3">{` · ${t("memory.capacity.speed", { rate: formatTokensPerS(tokensPerS) })}`}</span>
                      )}
                    </span>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <ul className="mt-3 flex flex-wrap gap-x-5 gap-y-1 text-12 text-ink-2">
        {PlanVerdict.options.map((verdict) => (
          <li key={verdict} className="flex items-center gap-1.5">
            <VerdictIcon verdict={verdict} size={14} />
            {t(`memory.verdictMeaning.${verdict}`)}
          </li>
        ))}
      </ul>
    </>
  )
}
