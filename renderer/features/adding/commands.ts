import { PackagePlus } from "lucide-react"
import type { Command } from "../../lib/commands.ts"
import { t } from "../../lib/i18n.ts"
import { mirror } from "../../lib/mirror.ts"
import { openAdding } from "../../lib/navigation.ts"
import { openAdditions } from "./state.ts"

/** The wizard, and each addition that is not finished. */
export function addingCommands(): Command[] {
  const { snapshot } = mirror.get()
  if (!snapshot) return []
  return [
    { id: "adding.new", title: t("models.add"), keys: "mod+o", icon: PackagePlus, run: () => openAdding("new") },
    ...openAdditions(snapshot.additions).map(({ id, name }) => ({
      id: `adding.${id}`,
      title: t("adding.goOnWith", { name }),
      icon: PackagePlus,
      run: () => openAdding(id),
    })),
  ]
}
