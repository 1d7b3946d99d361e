// The top bar's right: Nibble's share of the memory, by owner, and the way to give it back.
import { EjectIcon } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { MemoryPlan } from "../../../shared/schema/model.ts"
import { formatBytes, formatGib } from "../../lib/format.ts"
import { mirror, useMain } from "../../lib/mirror.ts"
import { formatHash, navigation } from "../../lib/navigation.ts"
import { MemoryBar, OwnerSwatch } from "../../ui/memory-bar.tsx"
import { Popover } from "../../ui/popover.tsx"
import { Tooltip } from "../../ui/tooltip.tsx"
import { eject } from "./actions.ts"

const owners = ["weights", "scales", "unquantized", "kv", "activations", "scratch"] as const

/** The plan by the owners that are shown; the logits are activations to a reader. */
function shares(plan: MemoryPlan): { owner: (typeof owners)[number]; bytes: number }[] {
  const bytes = { ...plan, activations: plan.activations + plan.logits }
  return owners.flatMap((owner) => (bytes[owner] > 0 ? [{ owner, bytes: bytes[owner] }] : []))
}

export function MemoryChip() {
  const { t } = useTranslation()
  const memory = mirror.use((part) => part.memory)
  const installed_bytes = useMain((main) => main.system.memoryBytes)
  const load = useMain((main) => main.load)
  const place = navigation.use((part) => part.place)
  const plan = load.state === "ready" ? load.model.plan : null
  const total = memory?.totalBytes ?? installed_bytes
  const used = memory?.nibbleBytes ?? 0
  const ejectLabel = plan ? t("memory.eject", { size: formatBytes(plan.total) }) : t("memory.nothingLoaded")
  return (
    <div className="flex h-8 flex-none overflow-hidden rounded-control border border-line-strong bg-raised text-13">
      <Popover
        // Going elsewhere closes it.
        key={place}
        title={t("memory.title")}
        trigger={
          <button
            type="button"
            aria-label={t("memory.chip", { used: formatGib(used), total: formatGib(total) })}
            className="flex items-center gap-2.5 px-2.5 -outline-offset-2 hover:bg-hover"
          >
            {/* What is Nibble's and not the model's is shown as runtime. */}
            <MemoryBar
              segments={[...(plan ? shares(plan) : []), { owner: "context", bytes: Math.max(0, used - (plan?.total ?? 0)) }]}
              scale={total}
              size="small"
              className="w-[84px] max-sm:hidden"
            />
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

interface BreakdownProps {
  plan: MemoryPlan | null
  used: number
  total: number
  available: number | null
}

function Breakdown({ plan, used, total, available }: BreakdownProps) {
  const { t } = useTranslation()
  const parts = plan ? shares(plan) : []
  return (
    <>
      <MemoryBar segments={parts} scale={plan?.total ?? total} size="thin" className="mb-3" />
      <dl className="num grid grid-cols-[1fr_auto] gap-y-1">
        {parts.map(({ owner, bytes }) => (
          <div key={owner} className="col-span-2 grid grid-cols-subgrid">
            <dt className="flex items-center gap-2.5">
              <OwnerSwatch owner={owner} />
              {t(`memory.owner.${owner}`)}
            </dt>
            <dd className="text-right">{formatBytes(bytes)}</dd>
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
      {plan && plan.mapped > 0 && (
        <p className="mt-2 text-12 leading-prose text-ink-3">{t("memory.mapped", { size: formatBytes(plan.mapped) })}</p>
      )}
      <a href={formatHash({ place: "memory", chatId: null, adding: null })} className="mt-3 inline-block text-accent-ink hover:underline">
        {t("memory.openPlace")}
      </a>
    </>
  )
}
