// Step 1: one box for words, a name, an address or a path; what the hub has, and the model that is looked at.
import { FolderOpen, Search } from "lucide-react"
import { type DragEvent, useState } from "react"
import { useTranslation } from "react-i18next"
import { useMain } from "../../lib/mirror.ts"
import { openAdding } from "../../lib/navigation.ts"
import { Button } from "../../ui/button.tsx"
import { cx } from "../../ui/class-names.ts"
import { Dialog } from "../../ui/dialog.tsx"
import { showToast } from "../../ui/toast.tsx"
import { changeQuery, chooseHub, chooseLocal } from "./actions.ts"
import { Filters } from "./filters.tsx"
import { Hits } from "./hits.tsx"
import { ModelPanel } from "./model-panel.tsx"
import { PathPicker } from "./path-picker.tsx"
import { adding, isModelName, openAdditions, pathIn } from "./state.ts"

export function ChooseStep() {
  const { t } = useTranslation()
  const isPicking = adding.use((part) => part.isPicking)
  const [isOver, setOver] = useState(false)
  const drop = (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    const path = droppedPath(event.dataTransfer)
    if (path) void chooseLocal(path)
    else {
      // A browser does not say where a dropped file lies.
      showToast(t("adding.dropNeedsPath"))
      adding.update({ isPicking: true })
    }
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a shortcut; the button beside the box does the same.
    <div
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
      className={cx("rounded-card", isOver && "outline-2 outline-offset-8 outline-accent outline-dashed")}
    >
      <UnderWay />
      <SearchBox />
      <Filters />
      <div className="grid grid-cols-[minmax(0,1fr)_320px] items-start gap-6 max-lg:grid-cols-1">
        <Hits />
        <ModelPanel />
      </div>
      <Dialog
        isOpen={isPicking}
        onClose={() => adding.update({ isPicking: false })}
        title={t("adding.ownTitle")}
        description={t("add.lead")}
        closeLabel={t("common.close")}
        width={620}
      >
        <PathPicker onPick={(path) => void chooseLocal(path)} />
      </Dialog>
    </div>
  )
}

/** Electron tells the path of a dropped file in its list of addresses; a browser tells none. */
function droppedPath(data: DataTransfer): string | null {
  const address = data.getData("text/uri-list").split("\n")[0]?.trim() ?? ""
  return pathIn(address) ?? pathIn(data.getData("text/plain"))
}

function SearchBox() {
  const { t } = useTranslation()
  const text = adding.use((part) => part.query.text)
  const take = () => {
    const path = pathIn(text)
    if (path) void chooseLocal(path)
    else if (isModelName(text)) void chooseHub(text.trim())
  }
  return (
    <search>
      <form
        className="flex gap-2 max-sm:flex-col"
        onSubmit={(event) => {
          event.preventDefault()
          take()
        }}
      >
        <div className="flex h-10 min-w-0 flex-1 items-center gap-2 rounded-control border border-line-strong bg-raised px-3 focus-within:border-accent max-sm:flex-none">
          <Search size={16} strokeWidth={1.75} aria-hidden className="flex-none text-ink-3" />
          <input
            type="search"
            aria-label={t("adding.search")}
            placeholder={t("adding.searchHint")}
            value={text}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => {
              const next = event.target.value
              // A name is searched for, too: it may be the beginning of others.
              if (pathIn(next) || /^https?:/.test(next)) adding.update(({ query }) => ({ query: { ...query, text: next } }))
              else changeQuery({ text: next })
            }}
            className="min-w-0 flex-1 bg-transparent text-14 outline-none"
          />
          {(pathIn(text) || isModelName(text)) && (
            <Button type="submit" size="small">
              {t("adding.open")}
            </Button>
          )}
        </div>
        <Button size="large" icon={FolderOpen} onClick={() => adding.update({ isPicking: true })}>
          {t("adding.own")}
        </Button>
      </form>
    </search>
  )
}

/** Others that were begun. */
function UnderWay() {
  const { t } = useTranslation()
  const additions = useMain((main) => main.additions)
  const open = openAdditions(additions)
  if (open.length === 0) return null
  return (
    <section aria-label={t("adding.underWay")} className="mb-4 flex flex-wrap items-center gap-x-3 gap-y-1.5 text-13">
      <span className="text-ink-3">{t("adding.underWay")}</span>
      {open.map(({ id, name, state }) => (
        <Button key={id} size="small" onClick={() => openAdding(id)}>
          {name}
          <span className="text-ink-3">{t(`adding.state.${state as Exclude<typeof state, "done">}`)}</span>
        </Button>
      ))}
    </section>
  )
}
