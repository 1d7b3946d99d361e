import { Slider } from "@base-ui/react/slider"
import { type ReactNode, useEffect, useState } from "react"

interface SliderFieldProps {
  label: string
  hint?: ReactNode
  value: number
  min: number
  max: number
  step: number
  /** How the number reads, e.g. "off". */
  show(value: number): string
  /** Called while the thumb moves. */
  onMove?(value: number): void
  /** Called when the thumb is let go. */
  onCommit?(value: number): void
}

export function SliderField({ label, hint, value, min, max, step, show, onMove, onCommit }: SliderFieldProps) {
  const [draft, setDraft] = useState(value)
  useEffect(() => setDraft(value), [value])
  const move = (next: number) => {
    setDraft(next)
    onMove?.(next)
  }
  return (
    <Slider.Root value={draft} min={min} max={max} step={step} onValueChange={move} onValueCommitted={(next) => onCommit?.(next)}>
      <div className="flex items-baseline gap-2">
        <Slider.Label className="text-12 font-medium text-ink-3">{label}</Slider.Label>
        <span className="num ml-auto text-13 font-semibold">{show(draft)}</span>
      </div>
      <Slider.Control className="flex h-6 w-full touch-none items-center">
        <Slider.Track className="h-1 w-full rounded-small bg-track">
          <Slider.Indicator className="rounded-small bg-accent" />
          <Slider.Thumb
            getAriaValueText={(_, now) => show(now)}
            className="size-4 rounded-full border-[1.5px] border-accent bg-raised shadow-low has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent"
          />
        </Slider.Track>
      </Slider.Control>
      {hint && <p className="text-12 leading-prose text-ink-3">{hint}</p>}
    </Slider.Root>
  )
}
