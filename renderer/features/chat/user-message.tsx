import { Pencil } from "lucide-react"
import { memo, useState } from "react"
import { useTranslation } from "react-i18next"
import type { Message } from "../../../shared/schema/chat.ts"
import { Button, IconButton } from "../../ui/button.tsx"
import { CopyButton } from "../../ui/copy-button.tsx"
import { sendEdited } from "./actions.ts"
import { chat } from "./state.ts"
import { Versions } from "./versions.tsx"

export const UserMessage = memo(function UserMessage({ message, canSend }: { message: Message; canSend: boolean }) {
  const { t } = useTranslation()
  const isEditing = chat.use((part) => part.editing === message.id)
  if (isEditing) return <Editor message={message} canSend={canSend} />
  return (
    <article aria-label={t("chat.you")} className="group -mb-4 ml-auto flex w-fit max-w-[82%] flex-col items-end max-sm:max-w-[88%]">
      <div className="rounded-card bg-sunken px-3.5 py-2.5 leading-prose wrap-anywhere whitespace-pre-wrap">{message.text}</div>
      <div className="mt-1 flex h-7 items-center gap-0.5 text-12 text-ink-3">
        <Versions message={message} />
        <span className="flex gap-0.5 opacity-0 transition-opacity group-focus-within:opacity-100 group-hover:opacity-100 max-sm:opacity-100">
          <CopyButton doneLabel={t("chat.copied")} label={t("chat.copy")} text={() => message.text} />
          <IconButton icon={Pencil} iconSize={14} label={t("chat.edit")} onClick={() => chat.update({ editing: message.id })} />
        </span>
      </div>
    </article>
  )
})

function Editor({ message, canSend }: { message: Message; canSend: boolean }) {
  const { t } = useTranslation()
  const [text, setText] = useState(message.text)
  const close = () => chat.update({ editing: null })
  const submit = () => canSend && text.trim() && void sendEdited(message, text)
  return (
    <form
      className="rounded-composer border border-line-strong bg-raised focus-within:border-accent-line"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <textarea
        // biome-ignore lint/a11y/noAutofocus: the user asked to edit this very text.
        autoFocus
        aria-label={t("chat.editedMessage")}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onFocus={(event) => event.target.setSelectionRange(text.length, text.length)}
        onKeyDown={(event) => {
          if (event.key === "Escape") {
            event.stopPropagation()
            close()
          } else if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault()
            submit()
          }
        }}
        className="field-sizing-content block max-h-[40vh] w-full resize-none px-4 pt-3 pb-1 leading-prose outline-none"
      />
      <div className="flex items-center gap-2 px-2 pt-1 pb-2">
        <span className="flex-1 pl-2 text-12 text-ink-3">{t("chat.editNote")}</span>
        <Button kind="ghost" size="small" type="button" onClick={close}>
          {t("common.cancel")}
        </Button>
        <Button
          kind="primary"
          size="small"
          type="submit"
          disabled={!text.trim()}
          unavailable={canSend ? undefined : t("chat.cannotSendNow")}
        >
          {t("chat.send")}
        </Button>
      </div>
    </form>
  )
}
