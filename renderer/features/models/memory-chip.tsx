// The top bar's right: Nibble's share of the memory, by owner, and the way to give it back.
import { EjectIcon } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { MemoryPlan } from "../../../shared/schema/model.ts"
import { formatBytes, formatGib } from "../../lib/format.ts"
import { mirror, useMain } from "../../lib/mirror.ts"
import { Popover } from "../../ui/popover.tsx"
import { Tooltip } from "../../ui/tooltip.tsx"
import { eject } from "./actions.ts"

const owners = [
  { key: "weights", color: "bg-own-weights" },
  { key: "scales", color: "bg-own-scales" },
  { key: "unquantized", color: "bg-own-unquantized" },
  { key: "kv", color: "bg-own-kv" },
  { key: "activations", color: "bg-own-activations" },
  { key: "scratch", color: "bg-own-scratch" },
] as const
type Owner = (typeof owners)[number]["key"]

/** The plan by the owners that are shown; the logits are activations to a reader. */
function shares(plan: MemoryPlan): Record<Owner, number> {
  return { ...plan, activations: plan.activations + plan.logits }
}

export function MemoryChip() {
  const { t } = useTranslation()
  const memory = mirror.use((part) => part.memory)
  const installed_bytes = useMain((main) => main.system.memoryBytes)
  const load = useMain((main) => main.load)
  const plan = load.state === "ready" ? load.model.plan : null
  const total = memory?.totalBytes ?? installed_bytes
  const used = memory?.nibbleBytes ?? 0
  const ejectLabel = plan ? t("memory.eject", { size: formatBytes(plan.total) }) : t("memory.nothingLoaded")
  return (
    <div className="flex h-8 flex-none overflow-hidden rounded-control border border-line-strong bg-raised text-13">
      <Popover
        title={t("memory.title")}
        trigger={
          <button
            type="button"
            aria-label={t("memory.chip", { used: formatGib(used), total: formatGib(total) })}
            className="flex items-center gap-2.5 px-2.5 -outline-offset-2 hover:bg-hover"
          >
            <Bar plan={plan} total={total} className="h-2 w-[84px] max-sm:hidden" />
            <span className="num whitespace-nowrap">
              <b className="font-semibold">{formatGib(used)}</b> <span className="text-ink-2">{`/ ${formatGib(total)} GiB`}</span>
            </span>
          </button>
        }
      >
        <Breakdown plan={plan} used={used} total={total} available={memory?.availableBytes ?? null} />
      </Popover>
      <Tooltip text={ejectLabel}>
        <button
          type="button"
          aria-label={ejectLabel}
          aria-disabled={plan === null}
          onClick={() => plan && void eject()}
          className="grid w-[34px] place-items-center border-l border-line-strong text-ink-2 -outline-offset-2 hover:bg-hover aria-disabled:text-ink-3 aria-disabled:opacity-50 aria-disabled:hover:bg-transparent"
        >
          <EjectIcon size={16} strokeWidth={1.75} aria-hidden />
        </button>
      </Tooltip>
    </div>
  )
}

function Bar({ plan, total, className }: { plan: MemoryPlan | null; total: number; className: string }) {
  const parts = plan ? shares(plan) : null
  return (
    <span aria-hidden className={`flex overflow-hidden rounded-[3px] bg-track ${className}`}>
      {parts &&
        owners
          .filter(({ key }) => parts[key] > 0)
          .map(({ key, color }) => (
            <span key={key} className={`mr-px min-w-0.5 flex-none ${color}`} style={{ width: `${(parts[key] / total) * 100}%` }} />
          ))}
    </span>
  )
}

interface BreakdownProps {
  plan: MemoryPlan | null
  used: number
  total: number
  available: number | null
}

function Breakdown({ plan, used, total, available }: BreakdownProps) {
  const { t } = useTranslation()
  const parts = plan ? shares(plan) : null
  return (
    <>
      <Bar plan={plan} total={plan?.total ?? total} className="mb-3 h-3 w-full" />
      <dl className="num grid grid-cols-[1fr_auto] gap-y-1">
        {parts &&
          owners
            .filter(({ key }) => parts[key] > 0)
            .map(({ key, color }) => (
              <div key={key} className="col-span-2 grid grid-cols-subgrid">
                <dt className="flex items-center gap-2.5">
                  <span aria-hidden className={`size-3 rounded-[3px] ${color}`} />
                  {t(`memory.owner.${key}`)}
                </dt>
                <dd className="text-right">{formatBytes(parts[key])}</dd>
              </div>
            ))}
        {plan && (
          <div className="col-span-2 grid grid-cols-subgrid border-t border-line pt-1 font-semibold">
            <dt>{t("memory.planned")}</dt>
            <dd className="text-right">{formatBytes(plan.total)}</dd>
          </div>
        )}
        <dt>{t("memory.measured")}</dt>
        <dd className="text-right">{formatBytes(used)}</dd>
        {available !== null && (
          <>
            <dt className="text-ink-2">{t("memory.available")}</dt>
            <dd className="text-right text-ink-2">{formatBytes(available)}</dd>
          </>
        )}
      </dl>
      {plan && <p className="mt-2 text-12 leading-prose text-ink-3">{t("memory.mapped", { size: formatBytes(plan.mapped) })}</p>}
    </>
  )
}
