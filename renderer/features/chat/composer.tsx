import { ArrowUp, ChevronDown, SlidersHorizontal, Square } from "lucide-react"
import { type KeyboardEvent, useEffect, useRef } from "react"
import { useTranslation } from "react-i18next"
import { Overflow } from "../../../shared/schema/chat.ts"
import { useMain } from "../../lib/mirror.ts"
import { Button, IconButton } from "../../ui/button.tsx"
import { isCovered } from "../../ui/covered.ts"
import { Menu, MenuChoice } from "../../ui/menu.tsx"
import { send, setUp, stop } from "./actions.ts"
import { chat, draftChanged } from "./state.ts"
import { TokenMeter, useTokenCount } from "./token-meter.tsx"
import { lastUserMessage } from "./tree.ts"
import { useUnavailable } from "./use-chat.ts"

export function Composer({ chatId }: { chatId: string | null }) {
  const { t } = useTranslation()
  const field = useRef<HTMLTextAreaElement>(null)
  const draft = chat.use((part) => part.drafts[chatId ?? ""] ?? "")
  const record = chat.use((part) => (chatId === null ? undefined : part.chats[chatId]))
  const overflow = chat.use((part) => (record ?? part.fresh).overflow)
  const system = chat.use((part) => (record ?? part.fresh).system)
  const isWriting = chat.use((part) => chatId !== null && chatId in part.replies)
  const isPanelOpen = chat.use((part) => part.isPanelOpen)
  const load = useMain((main) => main.load)
  const unavailable = useUnavailable()
  const modelName = load.state === "ready" ? load.model.name : null
  const modelVersion = load.state === "ready" ? `${load.model.path} ${load.model.context}` : ""
  const count = useTokenCount(chatId, system, draft, `${record?.activeLeafId} ${record?.messages.length} ${isWriting} ${modelVersion}`)

  const isEditing = chat.use((part) => part.editing !== null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the cursor comes when one opens a chat, the model gets ready, or an edit is over.
  useEffect(() => {
    const isFree = !isEditing && !isCovered()
    if (unavailable === undefined && isFree) field.current?.focus({ preventScroll: true })
  }, [chatId, unavailable === undefined, isEditing])

  const setDraft = (text: string) => chat.update((part) => draftChanged(part, chatId, text))
  const submit = () => {
    if (unavailable === undefined && !isWriting && draft.trim()) void send(draft.trim())
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault()
      submit()
    }
    const last = event.key === "ArrowUp" && draft === "" && record ? lastUserMessage(record) : undefined
    if (last && !isWriting) {
      event.preventDefault()
      chat.update({ editing: last.id })
    }
  }

  return (
    <div className="px-6 pb-4 max-sm:px-3 max-sm:pb-3">
      <form
        className="mx-auto max-w-[760px] rounded-composer border border-line-strong bg-raised shadow-low focus-within:border-accent-line"
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        <textarea
          ref={field}
          aria-label={t("chat.message")}
          placeholder={modelName ? t("chat.messageTo", { model: modelName }) : t("chat.message")}
          rows={1}
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
          onKeyDown={onKeyDown}
          className="field-sizing-content block max-h-[min(40vh,320px)] min-h-10 w-full resize-none px-4 pt-3.5 pb-1 leading-prose outline-none placeholder:truncate placeholder:text-ink-3"
        />
        <div className="flex items-center gap-2 px-2 pt-1 pb-2">
          <Menu
            side="top"
            trigger={
              <Button kind="ghost" size="small" type="button" iconAfter={ChevronDown} className="max-sm:hidden">
                {t(`chat.overflow.${overflow}`)}
              </Button>
            }
          >
            <MenuChoice
              label={t("chat.overflow.title")}
              value={overflow}
              onChange={(value) => void setUp({ overflow: value })}
              options={Overflow.options.map((value) => ({ value, label: t(`chat.overflowChoice.${value}`) }))}
            />
          </Menu>
          <IconButton
            type="button"
            icon={SlidersHorizontal}
            label={t("chat.panel.title")}
            aria-pressed={isPanelOpen}
            onClick={() => chat.update({ isPanelOpen: !isPanelOpen })}
          />
          <span className="ml-auto">{count && <TokenMeter count={count} />}</span>
          {isWriting ? (
            <Button type="button" icon={Square} onClick={() => stop(chatId)} className="min-w-[80px] [&_svg]:size-3 [&_svg]:fill-current">
              {t("chat.stop")}
            </Button>
          ) : (
            <Button
              kind="primary"
              type="submit"
              iconAfter={ArrowUp}
              unavailable={unavailable}
              disabled={!draft.trim()}
              className="min-w-[80px]"
            >
              {t("chat.send")}
            </Button>
          )}
        </div>
      </form>
    </div>
  )
}
