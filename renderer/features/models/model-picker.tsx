// The top bar's left: what is loaded, what could be, and how far a load has come.
import { Box, ChevronDown, CircleX, Plus, X } from "lucide-react"
import { useTranslation } from "react-i18next"
import { formatBytes, formatCount, formatName } from "../../lib/format.ts"
import { useMain } from "../../lib/mirror.ts"
import { goTo, openAdding } from "../../lib/navigation.ts"
import { IconButton } from "../../ui/button.tsx"
import { Menu, MenuChoice, MenuItem, MenuLine } from "../../ui/menu.tsx"
import { ProgressBar } from "../../ui/progress-bar.tsx"
import { cancelLoad, loadModel } from "./actions.ts"
import { sortModels } from "./state.ts"

export function ModelPicker() {
  const { t } = useTranslation()
  const load = useMain((main) => main.load)
  const installed = useMain((main) => main.models)
  const choices = sortModels(installed).filter((model) => model.supported)
  const chosen = load.state === "ready" ? (load.model.id ?? "") : load.state === "loading" ? load.modelId : ""
  return (
    <div className="flex min-w-0 items-center gap-1">
      <Menu
        trigger={
          <button
            type="button"
            className="flex h-8 min-w-0 items-center gap-2 rounded-control px-2.5 text-13 hover:bg-hover data-popup-open:bg-hover max-sm:px-1.5"
          >
            <Box size={16} strokeWidth={1.75} aria-hidden className="flex-none max-sm:hidden" />
            <Loaded />
            <ChevronDown size={14} strokeWidth={1.75} aria-hidden className="flex-none text-ink-3" />
          </button>
        }
      >
        {choices.length > 0 && (
          <>
            <MenuChoice
              label={t("load.choose")}
              value={chosen}
              onChange={(modelId) => void loadModel(modelId)}
              options={choices.map((model) => ({
                value: model.id,
                label: `${model.name} · ${formatName(model.format)}`,
                detail: formatBytes(model.disk_bytes),
              }))}
            />
            <MenuLine />
          </>
        )}
        <MenuItem icon={Plus} onSelect={() => openAdding("new")}>
          {t("models.add")}
        </MenuItem>
        <MenuItem icon={Box} onSelect={() => goTo("models")}>
          {t("models.all")}
        </MenuItem>
      </Menu>
      {load.state === "loading" && <IconButton icon={X} label={t("load.cancel")} onClick={cancelLoad} />}
    </div>
  )
}

function Loaded() {
  const { t } = useTranslation()
  const load = useMain((main) => main.load)
  const engine = useMain((main) => main.engine.state)
  // What was loaded when the engine stopped.
  const last = useMain((main) => main.models.find((model) => model.id === main.settings.lastModelId))
  if (load.state === "none" && engine !== "lost") return <span className="truncate text-ink-2">{t("load.none")}</span>
  if (load.state === "loading") {
    return (
      <span className="flex min-w-0 items-center gap-2">
        <span className="truncate font-semibold">{load.name}</span>
        <span className="w-16 flex-none max-sm:w-8">
          <ProgressBar label={t("load.loading")} fraction={load.fraction} />
        </span>
        <span className="num w-9 flex-none text-right text-ink-2 max-sm:hidden">{`${formatCount(Math.floor(load.fraction * 100))} %`}</span>
      </span>
    )
  }
  const name = load.state === "ready" ? load.model.name : load.state === "failed" ? load.name : (last?.name ?? t("load.none"))
  return (
    <>
      <span className="truncate font-semibold">{name}</span>
      {load.state === "ready" && <span className="whitespace-nowrap text-ink-2 max-md:hidden">{formatName(load.model.format)}</span>}
      {(load.state === "failed" || engine === "lost") && (
        <span className="flex flex-none items-center gap-1 font-medium text-stop">
          <CircleX size={14} aria-hidden />
          <span className="max-sm:sr-only">
            {load.state === "failed" && load.code !== "engine_lost" ? t("load.failed") : t("load.stopped")}
          </span>
        </span>
      )}
    </>
  )
}
