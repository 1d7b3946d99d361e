// Ctrl/Cmd+K: every action by name.
import { Autocomplete } from "@base-ui/react/autocomplete"
import { Dialog } from "@base-ui/react/dialog"
import { Search } from "lucide-react"
import { useLayoutEffect, useMemo, useRef } from "react"
import { useTranslation } from "react-i18next"
import { type Command, keyCaps } from "../lib/commands.ts"
import { navigation, showDialog } from "../lib/navigation.ts"
import { KeyCaps } from "../ui/key-caps.tsx"
import { allCommands } from "./commands.ts"

export function Palette() {
  const { t } = useTranslation()
  const isOpen = navigation.use((part) => part.dialog === "palette")
  const before = useRef<Element | null>(null)
  useLayoutEffect(() => {
    if (isOpen) before.current = document.activeElement
  }, [isOpen])
  // Where one was may be gone by then, because the action led elsewhere.
  const whereTo = () => {
    if (before.current?.isConnected && before.current !== document.body) return true
    return document.querySelector<HTMLElement>("main textarea") ?? document.querySelector<HTMLElement>("main")
  }
  return (
    <Dialog.Root open={isOpen} onOpenChange={(open) => showDialog(open ? "palette" : null)}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-veil" />
        <Dialog.Popup
          aria-label={t("palette.title")}
          finalFocus={whereTo}
          className="fixed top-[min(14vh,120px)] left-1/2 z-40 flex max-h-[min(70vh,480px)] w-[min(560px,calc(100vw-24px))] -translate-x-1/2 flex-col overflow-hidden rounded-card border border-line-strong bg-raised text-13 text-ink shadow-float outline-none"
        >
          <Commands />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

function Commands() {
  const { t } = useTranslation()
  // As they are when the palette opens.
  const commands = useMemo(() => allCommands().filter((command) => command.id !== "palette"), [])
  const choose = (command: Command) => {
    showDialog(null)
    command.run()
  }
  return (
    <Autocomplete.Root
      inline
      open
      items={commands}
      autoHighlight="always"
      keepHighlight
      itemToStringValue={(command: Command) => command.title}
    >
      <div className="flex flex-none items-center gap-2.5 border-b border-line px-4">
        <Search size={16} strokeWidth={1.75} aria-hidden className="flex-none text-ink-3" />
        <Autocomplete.Input
          aria-label={t("palette.title")}
          placeholder={t("palette.placeholder")}
          className="h-12 min-w-0 flex-1 text-14 outline-none placeholder:text-ink-3"
        />
      </div>
      <Autocomplete.Empty className="px-4 py-3 text-ink-3 empty:hidden">{t("palette.nothing")}</Autocomplete.Empty>
      <Autocomplete.List className="min-h-0 flex-1 overflow-auto p-1 empty:hidden">
        {(command: Command) => (
          <Autocomplete.Item
            key={command.id}
            value={command}
            onClick={() => choose(command)}
            className="flex min-h-9 items-center gap-2.5 rounded-small px-3 py-1.5 outline-none data-highlighted:bg-hover"
          >
            <span className="grid size-4 flex-none place-items-center text-ink-2">
              {command.icon && <command.icon size={16} strokeWidth={1.75} aria-hidden />}
            </span>
            <span className="min-w-0 flex-1 truncate">{command.title}</span>
            {command.keys && <KeyCaps keys={keyCaps(command.keys)} />}
          </Autocomplete.Item>
        )}
      </Autocomplete.List>
    </Autocomplete.Root>
  )
}
