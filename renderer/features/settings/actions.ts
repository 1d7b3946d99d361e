import type { ErrorData } from "../../../shared/schema/error.ts"
import type { Settings } from "../../../shared/schema/settings.ts"
import { client } from "../../lib/client.ts"
import { attempt, describeFailure } from "../../lib/failure.ts"
import { formatBytes } from "../../lib/format.ts"
import { t } from "../../lib/i18n.ts"
import { copyText } from "../../ui/clipboard.ts"
import { showFailure, showToast } from "../../ui/toast.tsx"

/** Main keeps the settings; they come back as an event. */
export async function change(settings: Partial<Settings>): Promise<void> {
  await attempt(
    () => client["settings.update"](settings),
    (error) => showFailure(describeFailure(error)),
  )
}

/** null takes it away. Whether it was taken; else `show` says why not. */
export async function setToken(token: string | null, show: (error: ErrorData) => void): Promise<boolean> {
  return (await attempt(() => client["hub.setToken"]({ token }), show)) !== undefined
}

export async function cleanStorage(): Promise<void> {
  const result = await attempt(
    () => client["storage.clean"](undefined),
    (error) => showFailure(describeFailure(error)),
  )
  if (result) showToast(t("settings.cleaned", { size: formatBytes(result.freedBytes) }))
}

export async function copyDiagnostics(): Promise<void> {
  const text = await attempt(
    () => client["app.diagnostics"](undefined),
    (error) => showFailure(describeFailure(error)),
  )
  if (text === undefined) return
  await copyText(text)
  showToast(t("settings.diagnosticsCopied"))
}
