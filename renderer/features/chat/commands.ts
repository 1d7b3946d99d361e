import { Copy, MessageSquarePlus, Pencil, RotateCw, Search, SlidersHorizontal, Square, Trash2 } from "lucide-react"
import type { Command } from "../../lib/commands.ts"
import { t } from "../../lib/i18n.ts"
import { mirror } from "../../lib/mirror.ts"
import { goTo, navigation, openChat } from "../../lib/navigation.ts"
import { copyText } from "../../ui/clipboard.ts"
import { showToast } from "../../ui/toast.tsx"
import { answerAgain, finishRemoval, hide, restore, search, stop } from "./actions.ts"
import { chat } from "./state.ts"
import { lastUserMessage, shownPath } from "./tree.ts"

/** Removes the chat at once, with a way back for a few seconds. */
export function removeWithUndo(chatId: string, title: string): void {
  hide(chatId)
  showToast(t("chat.removed", { title }), {
    action: { label: t("common.undo"), run: () => restore(chatId) },
    onGone: () => void finishRemoval(chatId),
  })
}

/** Those that can be done now. */
export function chatCommands(): Command[] {
  const { chatId, place } = navigation.get()
  const record = chatId === null ? undefined : chat.get().chats[chatId]
  const isWriting = chatId !== null && chatId in chat.get().replies
  const { snapshot } = mirror.get()
  const canSend = snapshot?.load.state === "ready" && !isWriting
  const path = record ? shownPath(record) : []
  const last = path.at(-1)
  const lastOwn = record && lastUserMessage(record)

  const list: Command[] = [
    // A browser keeps Ctrl+N for its own window.
    {
      id: "chat.new",
      title: t("chat.new"),
      keys: snapshot?.system.face === "electron" ? "mod+n" : "mod+shift+o",
      icon: MessageSquarePlus,
      run: () => openChat(null),
    },
    {
      id: "chat.search",
      title: t("chat.searchChats"),
      keys: "mod+shift+f",
      icon: Search,
      run: () => {
        goTo("chat")
        chat.update({ isListOpen: true })
        void search("")
      },
    },
  ]
  if (place !== "chat") return list
  list.push({
    id: "chat.panel",
    title: t("chat.panel.title"),
    keys: "mod+shift+s",
    icon: SlidersHorizontal,
    run: () => chat.update((part) => ({ isPanelOpen: !part.isPanelOpen })),
  })
  if (isWriting) list.push({ id: "chat.stop", title: t("chat.stopReply"), keys: "escape", icon: Square, run: () => stop(chatId) })
  if (last?.role === "assistant" && canSend) {
    list.push({ id: "chat.again", title: t("chat.answerAgain"), keys: "mod+shift+r", icon: RotateCw, run: () => void answerAgain(last) })
  }
  if (last?.text)
    list.push({ id: "chat.copy", title: t("chat.copyLast"), keys: "mod+shift+c", icon: Copy, run: () => void copyText(last.text) })
  if (lastOwn && !isWriting) {
    list.push({ id: "chat.edit", title: t("chat.editLast"), icon: Pencil, run: () => chat.update({ editing: lastOwn.id }) })
  }
  if (record) list.push({ id: "chat.remove", title: t("chat.remove"), icon: Trash2, run: () => removeWithUndo(record.id, record.title) })
  return list
}
