import { Box, ChartColumn, Download, EjectIcon, Layers, X } from "lucide-react"
import type { Command } from "../../lib/commands.ts"
import { formatName } from "../../lib/format.ts"
import { t } from "../../lib/i18n.ts"
import { mirror } from "../../lib/mirror.ts"
import { cancelJob, cancelLoad, eject, loadModel, setUpStarter } from "./actions.ts"
import { firstRun, models, sortModels } from "./state.ts"

/** Those that can be done now. */
export function modelCommands(): Command[] {
  const { snapshot } = mirror.get()
  if (!snapshot) return []
  const { load } = snapshot
  const list: Command[] = []
  if (firstRun(snapshot, models.get().setUp).show === "offer") {
    const format = snapshot.settings.defaultFormat
    list.push({
      id: "models.starter",
      title: t("first.command", { name: snapshot.starter.name, format: formatName(format) }),
      icon: Download,
      run: () => void setUpStarter(format),
    })
  }
  if (load.state === "loading") list.push({ id: "models.cancelLoad", title: t("load.cancel"), icon: X, run: cancelLoad })
  if (load.state === "ready")
    list.push({ id: "models.eject", title: t("load.unloadName", { name: load.model.name }), icon: EjectIcon, run: () => void eject() })
  for (const job of snapshot.jobs.filter((one) => one.state === "running")) {
    list.push({ id: `job.cancel.${job.id}`, title: t("job.cancelName", { name: job.subject }), icon: X, run: () => void cancelJob(job.id) })
  }
  for (const model of sortModels(snapshot.models).filter((one) => one.supported || one.canBeQuantized)) {
    const name = `${model.name} · ${formatName(model.format)}`
    const isLoaded = load.state === "ready" && load.model.id === model.id
    if (model.supported && !isLoaded)
      list.push({ id: `models.load.${model.id}`, title: t("load.loadName", { name }), icon: Box, run: () => void loadModel(model.id) })
    if (model.supported) {
      list.push({
        id: `models.outliers.${model.id}`,
        title: t("outliers.command", { name }),
        icon: ChartColumn,
        run: () => models.update({ dialog: { kind: "outliers", modelId: model.id } }),
      })
    }
    if (model.canBeQuantized) {
      list.push({
        id: `models.quantize.${model.id}`,
        title: t("models.quantizeName", { name }),
        icon: Layers,
        run: () => models.update({ dialog: { kind: "quantize", modelId: model.id } }),
      })
    }
  }
  return list
}
