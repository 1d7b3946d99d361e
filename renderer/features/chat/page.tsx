import { List } from "lucide-react"
import { useTranslation } from "react-i18next"
import { useMain } from "../../lib/mirror.ts"
import { navigation } from "../../lib/navigation.ts"
import { IconButton } from "../../ui/button.tsx"
import { Composer } from "./composer.tsx"
import { Conversation, EngineNote } from "./conversation.tsx"
import { ReplyFailure } from "./reply-failure.tsx"
import { SettingsPanel } from "./settings-panel.tsx"
import { chat } from "./state.ts"
import { Threads } from "./threads.tsx"

export function ChatPage() {
  const chatId = navigation.use((part) => part.chatId)
  const record = chat.use((part) => (chatId === null ? undefined : part.chats[chatId]))
  return (
    <div className="flex h-full overflow-hidden">
      <Threads />
      <div className="flex min-w-0 flex-1 flex-col">
        {record ? <Conversation key={record.id} record={record} /> : <NewChat isNew={chatId === null} />}
        <Composer chatId={chatId} />
      </div>
      <SettingsPanel chatId={chatId} />
    </div>
  )
}

/** Above the composer of a chat that has no message yet. */
function NewChat({ isNew }: { isNew: boolean }) {
  const { t } = useTranslation()
  const load = useMain((main) => main.load)
  const failure = chat.use((part) => part.failures[""])
  return (
    <section
      aria-label={t("chat.conversation")}
      className="flex min-h-0 flex-1 flex-col items-center justify-center overflow-auto px-6 py-4"
    >
      {isNew && (
        <div className="w-full max-w-[760px]">
          <h1 className="text-center text-20 font-semibold tracking-title">{t("chat.emptyTitle")}</h1>
          <p className="mt-2 text-center text-13 leading-prose text-balance text-ink-3">
            {load.state === "ready" ? t("chat.emptyReady", { model: load.model.name }) : t("chat.emptyNone")}
          </p>
          <div className="mt-6 flex flex-col gap-3">
            {failure && <ReplyFailure error={failure} kept={null} />}
            <EngineNote />
          </div>
        </div>
      )}
    </section>
  )
}

/** In the top bar, where the list of chats is not beside the conversation. */
export function ChatsButton() {
  const { t } = useTranslation()
  return <IconButton icon={List} label={t("chat.chats")} className="lg:hidden" onClick={() => chat.update({ isListOpen: true })} />
}
