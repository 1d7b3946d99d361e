import { RotateCw } from "lucide-react"
import { memo } from "react"
import { useTranslation } from "react-i18next"
import type { Message } from "../../../shared/schema/chat.ts"
import { formatCount, formatSeconds, formatTokensPerS } from "../../lib/format.ts"
import { Prose } from "../../parts/prose.tsx"
import { IconButton } from "../../ui/button.tsx"
import { CopyButton } from "../../ui/copy-button.tsx"
import { answerAgain } from "./actions.ts"
import { Versions } from "./versions.tsx"

interface ReplyProps {
  message: Message
  isWriting: boolean
  canSend: boolean
}

export const Reply = memo(function Reply({ message, isWriting, canSend }: ReplyProps) {
  const { t } = useTranslation()
  return (
    <article aria-label={message.model ?? t("chat.reply")} aria-busy={isWriting}>
      {message.text ? <Prose text={message.text} isCut={message.state === "failed"} /> : isWriting && <Waiting />}
      <footer className="mt-2 flex min-h-7 flex-wrap items-center gap-x-3 text-12 whitespace-nowrap text-ink-3 max-sm:gap-x-2">
        <Versions message={message} />
        <Figures message={message} />
        {!isWriting && (
          <span className="ml-auto flex gap-0.5">
            {message.text && <CopyButton doneLabel={t("chat.copied")} label={t("chat.copy")} text={() => message.text} />}
            <IconButton
              icon={RotateCw}
              iconSize={14}
              label={t("chat.answerAgain")}
              disabled={!canSend}
              onClick={() => void answerAgain(message)}
            />
          </span>
        )}
      </footer>
    </article>
  )
})

/** Three quiet dots until the first token: reading a long prompt can take seconds. */
function Waiting() {
  const { t } = useTranslation()
  return (
    <p className="flex h-[21px] items-center gap-1">
      <span className="sr-only">{t("chat.reading")}</span>
      {[0, 1, 2].map((dot) => (
        <span key={dot} className="size-1.5 animate-pulse rounded-full bg-ink-3" />
      ))}
    </p>
  )
}

function Figures({ message: { stats, stopReason, state } }: { message: Message }) {
  const { t } = useTranslation()
  if (!stats) return null
  const whyItEnded =
    state === "stopped" || (stopReason !== null && stopReason !== "end" && stopReason !== "stop_string")
      ? t(`chat.stopReason.${stopReason === "max_new_tokens" || stopReason === "context_full" ? stopReason : "cancelled"}`)
      : null
  return (
    <>
      <span className="num">{t("chat.tokensPerS", { rate: formatTokensPerS(stats.decodeTokensPerS) })}</span>
      <span className="num">{t("chat.firstAfter", { time: formatSeconds(stats.timeToFirstTokenMs) })}</span>
      <span className="num">{t("chat.tokens", { count: stats.tokens, n: formatCount(stats.tokens) })}</span>
      <span className="num max-sm:hidden">{t("chat.seed", { seed: String(stats.seed) })}</span>
      {stats.droppedMessages > 0 && (
        <span className="num text-caution">
          {t("chat.dropped", { count: stats.droppedMessages, n: formatCount(stats.droppedMessages) })}
        </span>
      )}
      {whyItEnded && <span>{whyItEnded}</span>}
    </>
  )
}
