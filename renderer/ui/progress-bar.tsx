import { Progress } from "@base-ui/react/progress"

interface ProgressBarProps {
  label: string
  /** 0 to 1; null: it goes on, nobody knows how far. */
  fraction: number | null
  valueText?: string
}

export function ProgressBar({ label, fraction, valueText }: ProgressBarProps) {
  return (
    <Progress.Root
      aria-label={label}
      value={fraction === null ? null : Math.round(fraction * 1000) / 10}
      {...(valueText ? { "aria-valuetext": valueText } : {})}
    >
      <Progress.Track className="h-1 overflow-hidden rounded-small bg-track">
        <Progress.Indicator className="rounded-small bg-accent data-indeterminate:h-full data-indeterminate:w-1/3 data-indeterminate:animate-pulse" />
      </Progress.Track>
    </Progress.Root>
  )
}
