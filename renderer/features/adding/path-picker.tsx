// Folders and models of the computer that Nibble runs on, by main's list: the page itself sees no disk, and when served it may be elsewhere.
import { ArrowUp, Box, Folder } from "lucide-react"
import { useEffect, useState } from "react"
import { useTranslation } from "react-i18next"
import type { FolderEntry } from "../../../shared/contract/app.ts"
import type { ErrorData } from "../../../shared/schema/error.ts"
import { client } from "../../lib/client.ts"
import { attempt, describeFailure } from "../../lib/failure.ts"
import { formatBytes } from "../../lib/format.ts"
import { Button, IconButton } from "../../ui/button.tsx"
import { FailureNote } from "../../ui/failure-note.tsx"
import { fieldBox } from "../../ui/field.tsx"
import { Tag } from "../../ui/tag.tsx"

interface Listing {
  path: string
  parent: string | null
  entries: FolderEntry[]
}

export function PathPicker({ onPick }: { onPick(path: string): void }) {
  const { t } = useTranslation()
  const [listing, setListing] = useState<Listing | null>(null)
  const [typed, setTyped] = useState("")
  const [error, setError] = useState<ErrorData | null>(null)
  const open = async (path: string | null) => {
    setError(null)
    const next = await attempt(() => client["files.list"]({ path }), setError)
    if (!next) return
    setListing(next)
    setTyped(next.path)
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, at the home folder.
  useEffect(() => void open(null), [])

  return (
    <div className="flex flex-col gap-3">
      <form
        className="flex gap-2"
        onSubmit={(event) => {
          event.preventDefault()
          if (typed.trim()) onPick(typed.trim())
        }}
      >
        <input
          aria-label={t("add.path")}
          placeholder={t("add.pathPlaceholder")}
          spellCheck={false}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          className={`${fieldBox} font-mono outline-none focus:border-accent`}
        />
        <Button type="submit" disabled={!typed.trim()}>
          {t("add.look")}
        </Button>
      </form>
      {error && <FailureNote failure={describeFailure(error)} />}
      <div className="h-[300px] overflow-auto rounded-card border border-line bg-canvas">
        {listing && (
          <>
            <div className="sticky top-0 flex items-center gap-2 border-b border-line bg-panel py-1 pr-3 pl-1">
              <IconButton
                icon={ArrowUp}
                label={t("add.up")}
                disabled={listing.parent === null}
                onClick={() => listing.parent !== null && void open(listing.parent)}
              />
              <span className="min-w-0 flex-1 truncate text-left font-mono text-12 text-ink-3" dir="rtl">
                <bdi>{listing.path}</bdi>
              </span>
            </div>
            {listing.entries.length === 0 && <p className="px-4 py-3 text-13 text-ink-3">{t("add.emptyFolder")}</p>}
            <ul aria-label={listing.path}>
              {listing.entries.map((entry) => (
                <li key={entry.path}>
                  <Entry entry={entry} onOpen={() => (entry.kind === "folder" ? void open(entry.path) : onPick(entry.path))} />
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </div>
  )
}

function Entry({ entry, onOpen }: { entry: FolderEntry; onOpen(): void }) {
  const { t } = useTranslation()
  const isModel = entry.kind !== "folder"
  const Icon = isModel ? Box : Folder
  return (
    <button
      type="button"
      onClick={onOpen}
      className="flex h-9 w-full items-center gap-2.5 px-4 text-left text-13 -outline-offset-2 hover:bg-hover"
    >
      <Icon size={16} strokeWidth={1.75} aria-hidden className={isModel ? "flex-none text-accent-ink" : "flex-none text-ink-3"} />
      <span className="min-w-0 flex-1 truncate" title={entry.name}>
        {entry.name}
      </span>
      {isModel && (
        <span className="max-sm:hidden">
          <Tag>{t(`add.kind.${entry.kind === "gguf" ? "gguf" : "model-folder"}`)}</Tag>
        </span>
      )}
      {isModel && <span className="num w-20 text-right text-12 text-ink-3">{formatBytes(entry.bytes)}</span>}
    </button>
  )
}
