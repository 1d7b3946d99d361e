// Memory by owner as one bar: filled where it is measured, outline where it is predicted. Bars that are to be compared get the same scale.
import { type MemoryOwner, type MemoryParts, memoryOwners } from "../../shared/schema/plan.ts"
import { cx } from "./class-names.ts"
import "./memory-bar.css"

/** Who can have a part of a bar: the plan's owners, what is Nibble's beside the model, and what is not Nibble's. To a reader the logits are activations. */
export type BarOwner = Exclude<MemoryOwner, "logits"> | "window" | "other" | "free" | "reserve"

export interface BarSegment {
  owner: BarOwner
  bytes: number
}

/** A plan's parts in their order. */
export function partsAsSegments(parts: MemoryParts): BarSegment[] {
  return memoryOwners.flatMap((owner) => {
    if (owner === "logits") return []
    const bytes = owner === "activations" ? parts.activations + parts.logits : parts[owner]
    return bytes > 0 ? [{ owner, bytes }] : []
  })
}

interface MemoryBarProps {
  /** What it shows, with its figures: the picture's name. Absent where a table beside it says the same. */
  label?: string
  segments: BarSegment[]
  /** Bytes of the full width. */
  scale: number
  form?: "filled" | "outline"
  size?: "large" | "thin" | "small"
  /** A line at so many bytes; what lies beyond it is striped. */
  limit?: number | undefined
  hasTrack?: boolean
  className?: string
}

const heights = { large: "h-7 rounded-[5px]", thin: "h-3 rounded-small", small: "h-2 rounded-[3px]" }

export function MemoryBar({ label, segments, scale, form = "filled", size = "large", limit, hasTrack = true, className }: MemoryBarProps) {
  const shown = segments.filter(({ bytes }) => bytes > 0)
  const used = shown.reduce((sum, { owner, bytes }) => sum + (owner === "free" || owner === "reserve" ? 0 : bytes), 0)
  return (
    <div {...(label ? { role: "img", "aria-label": label } : { "aria-hidden": true })} className={cx("relative", className)}>
      <div className={cx("flex overflow-hidden", heights[size], hasTrack && "bg-sunken")}>
        {shown.map(({ owner, bytes }) => (
          <span
            key={owner}
            data-owner={owner}
            data-form={form}
            className="memory-segment mr-px min-w-0.5 flex-none rounded-[1px]"
            style={{ width: `max(2px, calc(${percent(bytes, scale)} - 1px))` }}
          />
        ))}
      </div>
      {limit !== undefined && used > limit && (
        <span
          className="memory-overflow absolute inset-y-0"
          style={{ left: percent(limit, scale), width: percent(Math.min(used, scale) - limit, scale) }}
        />
      )}
      {limit !== undefined && limit <= scale && (
        <span className="absolute -inset-y-1 border-l-[1.5px] border-dashed border-ink-2" style={{ left: percent(limit, scale) }} />
      )}
    </div>
  )
}

/** The color and pattern of an owner, beside its name. */
export function OwnerSwatch({ owner, form = "filled" }: { owner: BarOwner; form?: "filled" | "outline" }) {
  return (
    <span
      aria-hidden
      data-owner={owner}
      data-form={form}
      className="memory-segment memory-swatch inline-block size-3 flex-none rounded-[3px]"
    />
  )
}

/** A place on an axis of `scale` bytes. */
export function percent(bytes: number, scale: number): string {
  return scale > 0 ? `${Math.max(0, Math.min(1, bytes / scale)) * 100}%` : "0%"
}
