// The frame: rail, top bar, the place one is at, and what can come over it.
import { CSPProvider } from "@base-ui/react/csp-provider"
import { type ReactNode, useEffect, useState } from "react"
import { useTranslation } from "react-i18next"
import { AddingPage } from "../features/adding/page.tsx"
import { ChatPage, ChatsButton } from "../features/chat/page.tsx"
import { MemoryPage } from "../features/memory/page.tsx"
import { FirstRunPage } from "../features/models/first-run.tsx"
import { MemoryChip } from "../features/models/memory-chip.tsx"
import { ModelPicker } from "../features/models/model-picker.tsx"
import { ModelsDialogs, ModelsPage } from "../features/models/page.tsx"
import { firstRun, models } from "../features/models/state.ts"
import { SettingsPage } from "../features/settings/page.tsx"
import { connection, retryNow } from "../lib/client.ts"
import { mirror } from "../lib/mirror.ts"
import { navigation } from "../lib/navigation.ts"
import { Button } from "../ui/button.tsx"
import { Toasts } from "../ui/toast.tsx"
import { TooltipProvider } from "../ui/tooltip.tsx"
import { Palette } from "./palette.tsx"
import { Rail } from "./rail.tsx"
import { ShortcutsDialog } from "./shortcuts-dialog.tsx"

export function Shell() {
  const { t } = useTranslation()
  const isReady = mirror.use((part) => part.snapshot !== null)
  return (
    // The content policy allows no style elements; what Base UI would put there is in our own sheet.
    <CSPProvider disableStyleElements>
      <TooltipProvider delay={400}>
        {isReady ? <Frame /> : <Opening />}
        <Toasts closeLabel={t("common.close")} />
      </TooltipProvider>
    </CSPProvider>
  )
}

/** The window is named after where one is. */
function useWindowTitle(): void {
  const { t } = useTranslation()
  const place = navigation.use((part) => part.place)
  const chatId = navigation.use((part) => part.chatId)
  const chatTitle = mirror.use(({ snapshot }) => snapshot?.chats.find((chat) => chat.id === chatId)?.title)
  const name = place === "chat" && chatTitle ? chatTitle : t(`place.${place}`)
  useEffect(() => {
    document.title = `${name} · Nibble`
  }, [name])
}

function Frame() {
  const { t } = useTranslation()
  useWindowTitle()
  return (
    <div className="grid h-full grid-cols-[var(--rail)_minmax(0,1fr)] grid-rows-[var(--top)_auto_minmax(0,1fr)] [grid-template-areas:'rail_top''rail_lost''rail_place'] max-sm:grid-cols-[minmax(0,1fr)] max-sm:grid-rows-[var(--top)_auto_minmax(0,1fr)_60px] max-sm:[grid-template-areas:'top''lost''place''rail']">
      {/* biome-ignore lint/a11y/useValidAnchor: a skip link; only the focus moves, since the address names the place one is at. */}
      <a
        href="#place"
        onClick={(event) => {
          event.preventDefault()
          document.getElementById("place")?.focus()
        }}
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-control focus:bg-raised focus:px-3 focus:py-2 focus:text-13 focus:shadow-float"
      >
        {t("place.skip")}
      </a>
      <header className="flex min-w-0 items-center gap-2 bg-panel pr-3 [grid-area:top] max-sm:gap-1 max-sm:pl-2">
        <InChat>
          <ChatsButton />
        </InChat>
        <ModelPicker />
        <span className="flex-1" />
        <MemoryChip />
      </header>
      <Rail />
      <LostBanner />
      <main
        id="place"
        tabIndex={-1}
        className="relative min-w-0 overflow-auto rounded-tl-card border-t border-l border-line bg-canvas outline-none [grid-area:place] max-sm:rounded-none max-sm:border-l-0"
      >
        <PlacePage />
      </main>
      <ModelsDialogs />
      <Palette />
      <ShortcutsDialog />
    </div>
  )
}

/** Where the list of chats is to be opened from. */
function InChat({ children }: { children: ReactNode }) {
  const isChat = navigation.use((part) => part.place === "chat")
  const view = useFirstRun()
  return isChat && view.show === "nothing" ? children : null
}

function useFirstRun() {
  const snapshot = mirror.use((part) => part.snapshot)
  const setUp = models.use((part) => part.setUp)
  return snapshot ? firstRun(snapshot, setUp) : { show: "nothing" as const }
}

function PlacePage() {
  const place = navigation.use((part) => part.place)
  const view = useFirstRun()
  const adding = navigation.use((part) => part.adding)
  if (place === "models") return adding === null ? <ModelsPage /> : <AddingPage adding={adding} />
  if (place === "memory") return <MemoryPage />
  if (place === "settings") return <SettingsPage />
  return view.show === "nothing" ? <ChatPage /> : <FirstRunPage view={view} />
}

/** Main is gone: said calmly, tried again by itself, what is on the page stays. */
function LostBanner() {
  const { t } = useTranslation()
  const isLost = connection.use((part) => part.state === "lost")
  return (
    <div role="status" className="[grid-area:lost]">
      {isLost && (
        <p className="flex flex-wrap items-center gap-x-3 gap-y-1 bg-caution-soft px-4 py-2 text-13 text-ink">
          <span className="font-semibold">{t("connection.lost")}</span>
          <span className="flex-1 text-ink-2">{t("connection.lostDetail")}</span>
          <Button size="small" onClick={retryNow}>
            {t("connection.retry")}
          </Button>
        </p>
      )}
    </div>
  )
}

const patience_ms = 300

/** Until the first snapshot: nothing for a moment, then a word. */
function Opening() {
  const { t } = useTranslation()
  const isLost = connection.use((part) => part.state === "lost")
  const [isLate, setLate] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), patience_ms)
    return () => clearTimeout(timer)
  }, [])
  return (
    <main className="grid h-full place-items-center bg-canvas p-6 text-center">
      <h1 className="sr-only">Nibble</h1>
      {isLost ? (
        <div>
          <p className="font-semibold">{t("connection.unreachable")}</p>
          <p className="mx-auto mt-1 mb-4 max-w-[52ch] text-13 leading-prose text-ink-2">{t("connection.unreachableDetail")}</p>
          <Button onClick={retryNow}>{t("connection.retry")}</Button>
        </div>
      ) : (
        isLate && <p className="text-13 text-ink-3">{t("connection.opening")}</p>
      )}
    </main>
  )
}
