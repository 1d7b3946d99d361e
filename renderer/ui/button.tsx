// Buttons are verbs; one primary button per view. A button that cannot be used now can still be focused, so that its reason can be read.
import { Button as Base } from "@base-ui/react/button"
import type { LucideIcon } from "lucide-react"
import type { ComponentProps } from "react"
import { cx } from "./class-names.ts"
import { Tooltip } from "./tooltip.tsx"

const kinds = {
  plain:
    "border-line-strong bg-raised text-ink hover:bg-[color-mix(in_oklab,var(--raised),var(--ink)_5%)] data-popup-open:bg-[color-mix(in_oklab,var(--raised),var(--ink)_5%)]",
  primary: "border-transparent bg-accent text-on-accent hover:bg-accent-hover",
  ghost: "border-transparent text-ink-2 hover:bg-hover hover:text-ink data-popup-open:bg-hover",
  danger: "border-line-strong bg-raised text-stop hover:bg-stop-soft",
} as const
const sizes = {
  small: "h-7 px-2.5 text-13 gap-1.5",
  medium: "h-8 px-3 text-13 gap-1.5",
  large: "h-10 px-[18px] text-14 gap-2",
} as const
const off = "data-disabled:border-line-strong data-disabled:bg-transparent data-disabled:text-ink-3 data-disabled:hover:bg-transparent"

export interface ButtonProps extends ComponentProps<"button"> {
  kind?: keyof typeof kinds
  size?: keyof typeof sizes
  icon?: LucideIcon
  iconAfter?: LucideIcon
  /** Why it cannot be used now; disables it. */
  unavailable?: string | undefined
}

export function Button({
  kind = "plain",
  size = "medium",
  icon: Icon,
  iconAfter: After,
  unavailable,
  children,
  className,
  ...rest
}: ButtonProps) {
  const button = (
    <Base
      focusableWhenDisabled
      {...rest}
      disabled={rest.disabled || unavailable !== undefined}
      className={cx(
        "inline-flex flex-none items-center justify-center rounded-control border font-medium whitespace-nowrap transition-colors",
        kinds[kind],
        sizes[size],
        off,
        className,
      )}
    >
      {Icon && <Icon size={16} strokeWidth={1.75} aria-hidden className={kind === "plain" ? "text-ink-2" : undefined} />}
      {children}
      {After && <After size={16} strokeWidth={1.75} aria-hidden />}
    </Base>
  )
  return unavailable ? <Tooltip text={unavailable}>{button}</Tooltip> : button
}

export interface IconButtonProps extends Omit<ComponentProps<"button">, "children"> {
  icon: LucideIcon
  /** What it does: its accessible name and its tooltip. */
  label: string
  keys?: string[]
  iconSize?: number
  /** False where the icon says it all and a tooltip would cover what is read. */
  hasTooltip?: boolean
}

export function IconButton({ icon: Icon, label, keys, iconSize = 16, hasTooltip = true, className, ...rest }: IconButtonProps) {
  return (
    <Tooltip text={label} isDisabled={!hasTooltip} {...(keys ? { keys } : {})}>
      <Base
        focusableWhenDisabled
        aria-label={label}
        {...rest}
        className={cx(
          "inline-grid size-7 flex-none place-items-center rounded-control text-ink-2 hover:bg-hover hover:text-ink data-popup-open:bg-hover",
          "aria-pressed:bg-accent-soft aria-pressed:text-accent-ink data-disabled:text-ink-3 data-disabled:opacity-60 data-disabled:hover:bg-transparent",
          className,
        )}
      >
        <Icon size={iconSize} strokeWidth={1.75} aria-hidden />
      </Base>
    </Tooltip>
  )
}
