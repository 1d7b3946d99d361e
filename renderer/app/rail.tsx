import { Box, Cpu, type LucideIcon, MessageSquare, SlidersHorizontal } from "lucide-react"
import { useTranslation } from "react-i18next"
import { useMain } from "../lib/mirror.ts"
import { formatHash, goTo, navigation, type Place } from "../lib/navigation.ts"
import { cx } from "../ui/class-names.ts"
import { Mark } from "../ui/mark.tsx"
import { Tooltip } from "../ui/tooltip.tsx"
import { useMedia } from "../ui/use-media.ts"

/** The places: a rail at the left with labels where there is room, a bar at the bottom on narrow screens. */
export function Rail() {
  const { t } = useTranslation()
  const isBusy = useMain(
    (main) => main.jobs.some((job) => job.state === "running") || main.additions.some(({ state }) => state === "running"),
  )
  return (
    <nav
      aria-label={t("place.places")}
      className="flex flex-col items-center gap-1 bg-panel pt-3.5 pb-3 [grid-area:rail] max-sm:flex-row max-sm:justify-around max-sm:border-t max-sm:border-line max-sm:px-2 max-sm:py-0"
    >
      <Mark size={26} className="mb-3.5 max-sm:hidden" />
      <PlaceLink place="chat" icon={MessageSquare} />
      <PlaceLink place="models" icon={Box} pip={isBusy ? t("place.busy") : undefined} />
      <PlaceLink place="memory" icon={Cpu} />
      <span className="flex-1 max-sm:hidden" />
      <PlaceLink place="settings" icon={SlidersHorizontal} />
    </nav>
  )
}

function PlaceLink({ place, icon: Icon, pip }: { place: Place; icon: LucideIcon; pip?: string | undefined }) {
  const { t } = useTranslation()
  const isHere = navigation.use((part) => part.place === place)
  const hasLabels = useMedia("(min-width: 1100px), (max-width: 639px)")
  const label = t(`place.${place}`)
  return (
    <Tooltip text={label} side="right" isDisabled={hasLabels}>
      <a
        href={formatHash({ place, chatId: null, adding: null })}
        aria-label={pip ? `${label}, ${pip}` : label}
        aria-current={isHere ? "page" : undefined}
        onClick={(event) => {
          event.preventDefault()
          goTo(place)
        }}
        className={cx(
          "relative flex size-10 flex-col items-center justify-center gap-1 rounded-card text-12 font-medium transition-colors",
          "max-sm:h-12 max-sm:w-[68px] lg:h-[52px] lg:w-16",
          isHere ? "bg-accent-soft text-accent-ink" : "text-ink-2 hover:bg-hover",
        )}
      >
        <Icon size={20} strokeWidth={1.6} aria-hidden />
        {hasLabels && <span>{label}</span>}
        {pip && (
          <span
            aria-hidden
            className="absolute top-[5px] right-1.5 size-2 rounded-full bg-accent ring-2 ring-panel max-sm:right-[18px] lg:right-3"
          />
        )}
      </a>
    </Tooltip>
  )
}
