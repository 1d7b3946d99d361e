import { ChartColumn, Ellipsis, Info, Layers, Trash2 } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { InstalledModel } from "../../../shared/schema/model.ts"
import { describeFailure } from "../../lib/failure.ts"
import { formatBytes, formatCount, formatLicense, formatName, formatParameters } from "../../lib/format.ts"
import { useMain } from "../../lib/mirror.ts"
import { Button, IconButton } from "../../ui/button.tsx"
import { FailureNote } from "../../ui/failure-note.tsx"
import { Menu, MenuItem } from "../../ui/menu.tsx"
import { Tag } from "../../ui/tag.tsx"
import { cancelLoad, eject, loadModel } from "./actions.ts"
import { OnlyQuantizable } from "./only-quantizable.tsx"
import { isOnlyQuantizable, models, whyUnsupported } from "./state.ts"

/** One installed model: what it is, where it came from, what can be done with it. */
export function ModelRow({ model }: { model: InstalledModel }) {
  const { t } = useTranslation()
  const load = useMain((main) => main.load)
  const isLoaded = load.state === "ready" && load.model.id === model.id
  const failure = load.state === "failed" && load.modelId === model.id ? load : null
  return (
    <li className="border-t border-line px-4 py-3 first:border-t-0">
      <div className="flex items-start gap-3 max-sm:flex-wrap">
        <div className="min-w-0 flex-1 max-sm:basis-full">
          <div className="flex min-w-0 flex-wrap items-center gap-x-2 gap-y-1">
            <h2 title={model.name} className="truncate text-13 font-semibold max-sm:wrap-anywhere max-sm:whitespace-normal">
              {model.name}
            </h2>
            <Tag>{formatName(model.format)}</Tag>
            {isLoaded && <Tag isOn>{t("models.loaded")}</Tag>}
            {!model.supported && <Tag>{t("models.cannotRun")}</Tag>}
          </div>
          <p className="mt-1 flex flex-wrap gap-x-3 gap-y-0.5 text-12 text-ink-3">
            <span>{formatBytes(model.disk_bytes)}</span>
            <span>{t("models.parametersShort", { n: formatParameters(model.parameters) })}</span>
            <span className="font-mono">{model.architecture}</span>
            {model.context_length > 0 && <span>{t("models.contextTokens", { n: formatCount(model.context_length) })}</span>}
            <span>{formatLicense(model.license)}</span>
          </p>
          <p className="mt-0.5 truncate text-12 text-ink-3" title={model.path}>
            {model.isOwned ? <Source source={model.source} /> : t("models.readAt", { path: model.path })}
          </p>
          {model.note && (
            <p lang="en" className="mt-1 text-12 leading-prose text-ink-2">
              {model.note}
            </p>
          )}
        </div>
        <div className="flex flex-none items-center gap-2">
          <LoadButton model={model} isLoaded={isLoaded} />
          <Menu
            align="end"
            trigger={<IconButton icon={Ellipsis} label={t("models.more", { name: `${model.name} · ${formatName(model.format)}` })} />}
          >
            <MenuItem icon={Info} onSelect={() => models.update({ dialog: { kind: "details", modelId: model.id } })}>
              {t("models.details")}
            </MenuItem>
            {model.supported && (
              <MenuItem icon={ChartColumn} onSelect={() => models.update({ dialog: { kind: "outliers", modelId: model.id } })}>
                {t("outliers.menu")}
              </MenuItem>
            )}
            {model.canBeQuantized && (
              <MenuItem icon={Layers} onSelect={() => models.update({ dialog: { kind: "quantize", modelId: model.id } })}>
                {t("models.quantize")}
              </MenuItem>
            )}
            <MenuItem icon={Trash2} isDanger onSelect={() => models.update({ dialog: { kind: "remove", modelId: model.id } })}>
              {model.isOwned ? t("models.delete") : t("models.takeOff")}
            </MenuItem>
          </Menu>
        </div>
      </div>
      {isOnlyQuantizable(model) && <OnlyQuantizable className="mt-3" reason={model.reason} />}
      {!model.supported && !model.canBeQuantized && <FailureNote className="mt-3" failure={whyUnsupported(model)} />}
      {failure && <FailureNote className="mt-3" failure={describeFailure(failure)} />}
    </li>
  )
}

function LoadButton({ model, isLoaded }: { model: InstalledModel; isLoaded: boolean }) {
  const { t } = useTranslation()
  const load = useMain((main) => main.load)
  if (isLoaded) return <Button onClick={() => void eject()}>{t("load.unload")}</Button>
  if (load.state === "loading" && load.modelId === model.id) {
    return <Button onClick={cancelLoad}>{t("load.cancelAt", { percent: formatCount(Math.floor(load.fraction * 100)) })}</Button>
  }
  if (isOnlyQuantizable(model)) {
    return <Button onClick={() => models.update({ dialog: { kind: "quantize", modelId: model.id } })}>{t("models.quantize")}</Button>
  }
  return (
    <Button disabled={!model.supported} onClick={() => void loadModel(model.id)}>
      {t("load.load")}
    </Button>
  )
}

/** "hub:org/name@rev", "pypi:name@version", "quantized:<id>", "local" in words. */
function Source({ source }: { source: string }) {
  const { t } = useTranslation()
  const installed = useMain((main) => main.models)
  const [kind, rest = ""] = source.split(/:(.*)/s)
  if (kind === "hub") return t("models.source.hub", { name: rest })
  if (kind === "pypi") return t("models.source.pypi", { name: rest })
  if (kind === "quantized") {
    const from = installed.find((model) => model.id === rest)
    return from ? t("models.source.quantizedFrom", { name: `${from.name} · ${formatName(from.format)}` }) : t("models.source.quantized")
  }
  return t("models.source.local")
}
