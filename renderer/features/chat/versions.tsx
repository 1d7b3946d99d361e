import { ChevronLeft, ChevronRight } from "lucide-react"
import { useTranslation } from "react-i18next"
import { useShallow } from "zustand/react/shallow"
import type { Message } from "../../../shared/schema/chat.ts"
import { IconButton } from "../../ui/button.tsx"
import { chooseVersion } from "./actions.ts"
import { chat } from "./state.ts"
import { versionsOf } from "./tree.ts"

/** ‹ 2 / 3 ›; nothing where there is one version only. It reads the ids alone, so that a growing reply leaves it as it is. */
export function Versions({ message }: { message: Message }) {
  const { t } = useTranslation()
  const ids = chat.use(
    useShallow((part) => {
      const record = part.chats[message.chatId]
      return record ? versionsOf(record, message).map(({ id }) => id) : []
    }),
  )
  const at = ids.indexOf(message.id)
  if (ids.length < 2) return null
  const choose = (next: number) => {
    const id = ids[next]
    if (id) void chooseVersion(message.chatId, id)
  }
  return (
    <span className="num -ml-1.5 inline-flex items-center text-ink-2">
      <IconButton icon={ChevronLeft} iconSize={14} label={t("chat.previousVersion")} disabled={at === 0} onClick={() => choose(at - 1)} />
      {`${at + 1} / ${ids.length}`}
      <IconButton
        icon={ChevronRight}
        iconSize={14}
        label={t("chat.nextVersion")}
        disabled={at === ids.length - 1}
        onClick={() => choose(at + 1)}
      />
    </span>
  )
}
