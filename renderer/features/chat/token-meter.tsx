import { useEffect, useState } from "react"
import { useTranslation } from "react-i18next"
import { client } from "../../lib/client.ts"
import { attempt } from "../../lib/failure.ts"
import { formatCount } from "../../lib/format.ts"

interface Count {
  chat: number
  draft: number
  limit: number | null
}

const pause_ms = 150

/**
 * Exact counts by the model's own tokenizer: those of the chat (null: one that is not made yet, with its system prompt) and of the draft.
 * `version` changes whenever the chat or the model did.
 */
export function useTokenCount(chatId: string | null, system: string, draft: string, version: string): Count | null {
  const [count, setCount] = useState<Count | null>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version asks again for the same texts.
  useEffect(() => {
    const abort = new AbortController()
    const timer = setTimeout(async () => {
      const next = await attempt(
        () => client["chat.count"]({ chatId, system, draft }, abort.signal),
        () => {},
      )
      if (!abort.signal.aborted) setCount(next ?? null)
    }, pause_ms)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [chatId, system, draft, version])
  return count
}

export function TokenMeter({ count }: { count: Count }) {
  const { t } = useTranslation()
  const { chat, draft, limit } = count
  if (limit === null) return null
  const share = (tokens: number) => `${Math.min(100, (tokens / limit) * 100)}%`
  const isOver = chat + draft > limit
  const percent = formatCount(Math.round(((chat + draft) / limit) * 100))
  return (
    <span
      className={isOver ? "num flex items-center gap-2.5 text-12 text-stop" : "num flex items-center gap-2.5 text-12 text-ink-2"}
      title={t("chat.meterDetail", { chat: formatCount(chat), draft: formatCount(draft) })}
    >
      <span
        role="img"
        aria-label={t("chat.meterLabel", { percent })}
        className="flex h-1 w-[72px] overflow-hidden rounded-small bg-track max-sm:hidden"
      >
        <span className="bg-ink-3" style={{ width: share(chat) }} />
        <span className="bg-accent" style={{ width: share(draft) }} />
      </span>
      <span className="whitespace-nowrap">
        {`${formatCount(chat)} + ${formatCount(draft)} `}
        <span className={isOver ? undefined : "text-ink-3"}>{t("chat.meterLimit", { limit: formatCount(limit) })}</span>
      </span>
    </span>
  )
}
