// A list of things to do or to choose from, under the button that opens it.
import { Menu as Base } from "@base-ui/react/menu"
import { Check, type LucideIcon } from "lucide-react"
import type { ReactElement, ReactNode } from "react"
import { cx } from "./class-names.ts"

interface MenuProps {
  trigger: ReactElement
  side?: "top" | "bottom"
  align?: "start" | "center" | "end"
  children: ReactNode
}

export function Menu({ trigger, side = "bottom", align = "start", children }: MenuProps) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner side={side} align={align} sideOffset={4} collisionPadding={8} className="z-50 outline-none">
          <Base.Popup className="appear max-h-[min(480px,var(--available-height))] max-w-[min(420px,calc(100vw-16px))] min-w-[200px] overflow-auto rounded-card border border-line-strong bg-raised p-1 text-13 text-ink shadow-float outline-none">
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}

const row =
  "flex min-h-8 w-full items-center gap-2 rounded-small px-2 py-1 text-left outline-none data-highlighted:bg-hover data-disabled:text-ink-3"

interface ItemProps {
  icon?: LucideIcon
  isDanger?: boolean
  isDisabled?: boolean
  onSelect(): void
  children: ReactNode
}

export function MenuItem({ icon: Icon, isDanger = false, isDisabled = false, onSelect, children }: ItemProps) {
  return (
    <Base.Item onClick={onSelect} disabled={isDisabled} className={cx(row, isDanger && "text-stop")}>
      {Icon && <Icon size={16} strokeWidth={1.75} aria-hidden className={isDanger ? "flex-none" : "flex-none text-ink-2"} />}
      {children}
    </Base.Item>
  )
}

interface MenuChoiceProps<V extends string> {
  label?: string
  value: V
  onChange(value: V): void
  options: { value: V; label: ReactNode; detail?: ReactNode; isDisabled?: boolean }[]
}

export function MenuChoice<V extends string>({ label, value, onChange, options }: MenuChoiceProps<V>) {
  return (
    <Base.Group>
      {label && <Base.GroupLabel className="px-2 pt-1.5 pb-1 text-12 font-medium text-ink-3">{label}</Base.GroupLabel>}
      <Base.RadioGroup value={value} onValueChange={onChange}>
        {options.map((option) => (
          <Base.RadioItem key={option.value} value={option.value} disabled={option.isDisabled ?? false} closeOnClick className={row}>
            <span className="grid size-4 flex-none place-items-center text-accent-ink">
              <Base.RadioItemIndicator>
                <Check size={14} strokeWidth={2} aria-hidden />
              </Base.RadioItemIndicator>
            </span>
            <span className="min-w-0 flex-1 truncate">{option.label}</span>
            {option.detail && <span className="num flex-none text-12 text-ink-3">{option.detail}</span>}
          </Base.RadioItem>
        ))}
      </Base.RadioGroup>
    </Base.Group>
  )
}

export function MenuLine() {
  return <Base.Separator className="mx-2 my-1 h-px bg-line" />
}
