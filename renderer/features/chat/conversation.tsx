import { ArrowDown } from "lucide-react"
import { useEffect, useMemo } from "react"
import { useTranslation } from "react-i18next"
import type { Chat } from "../../../shared/schema/chat.ts"
import { describeFailure } from "../../lib/failure.ts"
import { useMain } from "../../lib/mirror.ts"
import { Button } from "../../ui/button.tsx"
import { FailureNote } from "../../ui/failure-note.tsx"
import { answerAgain } from "./actions.ts"
import { Announcer } from "./announcer.tsx"
import { Reply } from "./reply.tsx"
import { ReloadButton, ReplyFailure } from "./reply-failure.tsx"
import { chat } from "./state.ts"
import { shownPath } from "./tree.ts"
import { useUnavailable } from "./use-chat.ts"
import { useStickToBottom } from "./use-stick-to-bottom.ts"
import { UserMessage } from "./user-message.tsx"

export function Conversation({ record }: { record: Chat }) {
  const { t } = useTranslation()
  const { scroller, content, isAtEnd, toEnd } = useStickToBottom()
  const reply = chat.use((part) => part.replies[record.id])
  const failure = chat.use((part) => part.failures[record.id])
  const unavailable = useUnavailable()
  const canSend = unavailable === undefined && reply === undefined
  const path = useMemo(() => shownPath(record), [record])
  const last = path.at(-1)
  const isWriting = reply !== undefined || last?.state === "streaming"

  // Another chat, and an answer to what the user just did, is read from its end.
  const isAnswering = reply !== undefined
  // biome-ignore lint/correctness/useExhaustiveDependencies: the end of an answer moves nothing.
  useEffect(toEnd, [record.id])
  useEffect(() => {
    if (isAnswering) toEnd()
  }, [isAnswering, toEnd])

  return (
    <div className="relative min-h-0 flex-1">
      <h1 className="sr-only">{record.title}</h1>
      <section
        ref={scroller}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
        tabIndex={0}
        aria-label={t("chat.conversation")}
        className="h-full overflow-auto px-6 pt-6 pb-4 max-sm:px-4 max-sm:pt-4"
      >
        <div ref={content} className="mx-auto flex max-w-[760px] flex-col gap-6">
          {path.map((message) =>
            message.role === "user" ? (
              <UserMessage key={message.id} message={message} canSend={canSend} />
            ) : (
              <div key={message.id}>
                <Reply message={message} isWriting={message.state === "streaming"} canSend={canSend} />
                {message.state === "failed" && message.error && (
                  <ReplyFailure
                    error={message.error}
                    kept={message.text ? (message.stats?.tokens ?? "some") : null}
                    again={canSend ? () => void answerAgain(message) : undefined}
                    isPast={message !== last}
                  />
                )}
              </div>
            ),
          )}
          {failure && <ReplyFailure error={failure} kept={null} />}
          {!failure && last?.error?.code !== "engine_lost" && !isWriting && <EngineNote />}
        </div>
      </section>
      {!isAtEnd && (
        <Button icon={ArrowDown} size="small" onClick={toEnd} className="absolute bottom-2 left-1/2 -translate-x-1/2 shadow-float">
          {t("chat.toEnd")}
        </Button>
      )}
      {last?.role === "assistant" && <Announcer messageId={last.id} text={last.text} isOver={!isWriting} />}
    </div>
  )
}

/** The engine or a load failed while no reply was being written. */
export function EngineNote() {
  const engine = useMain((main) => main.engine)
  const load = useMain((main) => main.load)
  if (load.state === "failed") {
    return <FailureNote failure={describeFailure(load)} action={<ReloadButton />} />
  }
  if (engine.state !== "lost") return null
  const lost = { code: "engine_lost", message: engine.reason ?? "" }
  return <FailureNote failure={describeFailure(lost)} action={<ReloadButton />} />
}
