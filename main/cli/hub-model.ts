// A model of the hub, by the name or the address that people write.
import { AppError } from "../../shared/schema/error.ts"
import type { HubModel } from "../../shared/schema/hub.ts"
import type { App } from "../app.ts"
import { ggufName } from "../models/gguf-parts.ts"
import type { CommandContext } from "./command.ts"
import { unused } from "./with-app.ts"

/** organization/name, that with @revision, or an address. */
export const hubName = /^(https?:\/\/.+|[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*(@[\w./-]+)?)$/

/** What is known of it with its headers, which are fetched. `variant`: of a repository of GGUF files. Throws where it is closed, or no model. */
export async function readHubModel(
  app: App,
  { name, variant }: { name: string; variant: string | undefined },
  { signal, output }: CommandContext,
): Promise<HubModel & { headers: string }> {
  const progress = output.progress("Reading headers from the hub")
  try {
    const wish = { name, ...(variant === undefined ? {} : { variant }) }
    const model = await app.handlers["hub.model"](wish, { ...unused, signal })
    const { summary, headers, variants } = model
    if (headers === null) throw closed(model)
    if (variant === undefined || ggufName(variant) === model.variant) return { ...model, headers }
    const names = variants.map((one) => one.name).join(", ") || "none"
    throw new AppError("not_found", `${summary.name} has no file ${variant}.`, `GGUF models there: ${names}.`)
  } finally {
    progress.end()
  }
}

function closed({ summary, licenseUrl, pageUrl }: HubModel): AppError {
  const { name, access, reason } = summary
  if (access === "open") return new AppError("unsupported", reason ?? `${name} is no model that can be read.`)
  return new AppError(
    "no_permission",
    reason ?? `${name} is not open to you on the hub.`,
    `Accept its terms on ${licenseUrl ?? pageUrl}, and set HF_TOKEN to an access token of the same account.`,
  )
}
