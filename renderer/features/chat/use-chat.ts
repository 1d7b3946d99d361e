import { useTranslation } from "react-i18next"
import { connection } from "../../lib/client.ts"
import { useMain } from "../../lib/mirror.ts"
import { type ChatSettings, chat } from "./state.ts"

/** Why nothing can be sent now; undefined when it can. */
export function useUnavailable(): string | undefined {
  const { t } = useTranslation()
  const isLost = connection.use((part) => part.state === "lost")
  const load = useMain((main) => main.load.state)
  const engine = useMain((main) => main.engine.state)
  if (isLost) return t("chat.unavailable.connection")
  if (load === "loading") return t("chat.unavailable.loading")
  if (engine === "lost") return t("chat.unavailable.lost")
  return load === "ready" ? undefined : t("chat.unavailable.none")
}

/** What a chat is set to; before a chat exists, what it will be. */
export function useChatSettings(chatId: string | null): ChatSettings {
  const record = chat.use((part) => (chatId === null ? undefined : part.chats[chatId]))
  const fresh = chat.use((part) => part.fresh)
  return record ?? fresh
}
