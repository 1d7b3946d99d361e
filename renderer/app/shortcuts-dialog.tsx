import { useTranslation } from "react-i18next"
import { keyCaps } from "../lib/commands.ts"
import { navigation, showDialog } from "../lib/navigation.ts"
import { Dialog } from "../ui/dialog.tsx"
import { KeyCaps } from "../ui/key-caps.tsx"
import { allCommands } from "./commands.ts"

/** What the composer does by itself, beside the commands. */
const inComposer = [
  { keys: "enter", text: "send" },
  { keys: "shift+enter", text: "newline" },
  { keys: "arrowup", text: "editLast" },
  { keys: "escape", text: "stop" },
] as const

export function ShortcutsDialog() {
  const { t } = useTranslation()
  const isOpen = navigation.use((part) => part.dialog === "shortcuts")
  const rows = isOpen ? allCommands().flatMap(({ id, title, keys }) => (keys && keys !== "escape" ? [{ id, title, keys }] : [])) : []
  return (
    <Dialog isOpen={isOpen} onClose={() => showDialog(null)} title={t("shortcuts.title")} closeLabel={t("common.close")} width={480}>
      <dl className="grid grid-cols-[1fr_auto] items-center gap-y-2 text-13">
        {rows.map(({ id, title, keys }) => (
          <Row key={id} title={title} keys={keys} />
        ))}
        {inComposer.map(({ keys, text }) => (
          <Row key={text} title={t(`shortcuts.${text}`)} keys={keys} />
        ))}
      </dl>
    </Dialog>
  )
}

function Row({ title, keys }: { title: string; keys: string }) {
  return (
    <>
      <dt>{title}</dt>
      <dd className="text-right">
        <KeyCaps keys={keyCaps(keys)} />
      </dd>
    </>
  )
}
