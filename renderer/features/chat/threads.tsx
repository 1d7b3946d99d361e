// The list of chats: by age, searched through all messages, renamed in place, removed with undo.
import { Ellipsis, Pencil, Plus, Search, Trash2, X } from "lucide-react"
import { type ReactNode, useState } from "react"
import { useTranslation } from "react-i18next"
import type { ChatSummary } from "../../../shared/schema/chat.ts"
import { useMain } from "../../lib/mirror.ts"
import { navigation, openChat } from "../../lib/navigation.ts"
import { IconButton } from "../../ui/button.tsx"
import { cx } from "../../ui/class-names.ts"
import { Dialog } from "../../ui/dialog.tsx"
import { Menu, MenuItem } from "../../ui/menu.tsx"
import { useMedia } from "../../ui/use-media.ts"
import { rename, search } from "./actions.ts"
import { removeWithUndo } from "./commands.ts"
import { chat, groupByAge } from "./state.ts"

export function Threads() {
  const { t } = useTranslation()
  const hasRoom = useMedia("(min-width: 1100px)")
  const isOpen = chat.use((part) => part.isListOpen)
  const close = () => chat.update({ isListOpen: false })
  if (!hasRoom) {
    return (
      <Dialog isOpen={isOpen} onClose={close} title={t("chat.chats")} closeLabel={t("common.close")} place="left">
        <List onOpen={close} />
      </Dialog>
    )
  }
  return (
    <aside
      aria-label={t("chat.chats")}
      className="flex w-[244px] flex-none flex-col overflow-hidden border-r border-line px-2 py-3 text-13"
    >
      <List title={<h2 className="flex-1 truncate text-14 font-semibold">{t("chat.chats")}</h2>} />
    </aside>
  )
}

function List({ title, onOpen = () => {} }: { title?: ReactNode; onOpen?: () => void }) {
  const { t } = useTranslation()
  const chats = useMain((main) => main.chats)
  const removed = chat.use((part) => part.removed)
  const searched = chat.use((part) => part.search)
  const open = (chatId: string | null) => {
    openChat(chatId)
    onOpen()
  }
  return (
    <>
      <div className="flex h-8 flex-none items-center gap-0.5 pb-1 pl-2">
        {searched ? (
          <input
            type="search"
            // biome-ignore lint/a11y/noAutofocus: opened by the search button.
            autoFocus
            aria-label={t("chat.searchChats")}
            placeholder={t("chat.searchChats")}
            value={searched.text}
            onChange={(event) => void search(event.target.value)}
            onKeyDown={(event) => {
              if (event.key !== "Escape") return
              event.stopPropagation()
              void search(null)
            }}
            className="h-7 min-w-0 flex-1 appearance-none rounded-control border border-line-strong bg-raised px-2 outline-none focus:border-accent [&::-webkit-search-cancel-button]:hidden"
          />
        ) : (
          (title ?? <span className="flex-1" />)
        )}
        <IconButton
          icon={searched ? X : Search}
          label={searched ? t("chat.endSearch") : t("chat.searchChats")}
          onClick={() => void search(searched ? null : "")}
        />
        <IconButton icon={Plus} label={t("chat.new")} onClick={() => open(null)} />
      </div>
      <div className="-mx-2 min-h-0 flex-1 overflow-auto px-2 pb-2">
        {searched?.text.trim() ? (
          <Hits open={open} />
        ) : chats.length === removed.length ? (
          <p className="px-2 pt-3 text-12 leading-prose text-ink-3">{t("chat.noChats")}</p>
        ) : (
          groupByAge(chats, removed, Date.now()).map((group) => (
            <section key={group.age} aria-label={t(`chat.age.${group.age}`)}>
              <h3 className="px-2 pt-3 pb-1 text-12 font-medium text-ink-3">{t(`chat.age.${group.age}`)}</h3>
              {group.chats.map((summary) => (
                <Row key={summary.id} summary={summary} open={open} />
              ))}
            </section>
          ))
        )}
      </div>
    </>
  )
}

function Hits({ open }: { open(chatId: string): void }) {
  const { t } = useTranslation()
  const hits = chat.use((part) => part.search?.hits ?? none)
  if (hits.length === 0) return <p className="px-2 pt-3 text-12 text-ink-3">{t("chat.nothingFound")}</p>
  return hits.map((hit) => (
    <button
      key={hit.messageId}
      type="button"
      onClick={() => open(hit.chatId)}
      className="mt-1 block w-full rounded-control px-2 py-1.5 text-left hover:bg-hover"
    >
      <span className="block truncate font-medium">{hit.title}</span>
      <span className="line-clamp-2 text-12 leading-control text-ink-3">{hit.snippet}</span>
    </button>
  ))
}
const none: never[] = []

function Row({ summary, open }: { summary: ChatSummary; open(chatId: string): void }) {
  const { t } = useTranslation()
  const isOpen = navigation.use((part) => part.chatId === summary.id)
  const isWriting = chat.use((part) => summary.id in part.replies)
  const [isRenaming, setRenaming] = useState(false)
  if (isRenaming) return <Rename summary={summary} onDone={() => setRenaming(false)} />
  return (
    <div className={cx("group relative flex h-8 items-center rounded-control", isOpen ? "bg-pressed" : "hover:bg-hover")}>
      <button
        type="button"
        aria-current={isOpen ? "page" : undefined}
        onClick={() => open(summary.id)}
        onDoubleClick={() => setRenaming(true)}
        className={cx(
          "flex h-full min-w-0 flex-1 items-center gap-2 rounded-control px-2 text-left group-focus-within:pr-8 group-hover:pr-8 group-has-data-popup-open:pr-8 max-sm:pr-8",
          isOpen ? "font-medium text-ink" : "text-ink-2",
        )}
      >
        <span className="min-w-0 flex-1 truncate">{summary.title}</span>
        {isWriting && (
          <span role="img" aria-label={t("chat.writing")} className="size-1.5 flex-none animate-pulse rounded-full bg-accent" />
        )}
      </button>
      <Menu
        align="end"
        trigger={
          <IconButton
            icon={Ellipsis}
            label={t("chat.chatMenu", { title: summary.title })}
            className="absolute right-0.5 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 data-popup-open:opacity-100 max-sm:opacity-100"
          />
        }
      >
        <MenuItem icon={Pencil} onSelect={() => setRenaming(true)}>
          {t("chat.rename")}
        </MenuItem>
        <MenuItem icon={Trash2} isDanger onSelect={() => removeWithUndo(summary.id, summary.title)}>
          {t("chat.remove")}
        </MenuItem>
      </Menu>
    </div>
  )
}

function Rename({ summary, onDone }: { summary: ChatSummary; onDone(): void }) {
  const { t } = useTranslation()
  const [title, setTitle] = useState(summary.title)
  const finish = () => {
    const wanted = title.trim()
    if (wanted && wanted !== summary.title) void rename(summary.id, wanted)
    onDone()
  }
  return (
    <input
      // biome-ignore lint/a11y/noAutofocus: the user asked to rename this very chat.
      autoFocus
      aria-label={t("chat.newTitle")}
      value={title}
      maxLength={200}
      onFocus={(event) => event.target.select()}
      onChange={(event) => setTitle(event.target.value)}
      onBlur={finish}
      onKeyDown={(event) => {
        if (event.key === "Enter") finish()
        if (event.key === "Escape") {
          event.stopPropagation()
          onDone()
        }
      }}
      className="h-8 w-full rounded-control border border-accent-line bg-raised px-2 outline-none"
    />
  )
}
