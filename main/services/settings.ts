// The settings: each is kept under its name and checked when it is read, so that one that is damaged costs only itself.
import type { AppContract } from "../../shared/contract/app.ts"
import type { Handlers } from "../../shared/rpc.ts"
import { Settings, type SettingsChange } from "../../shared/schema/settings.ts"
import { hubAddress } from "../hub/hub.ts"
import { requireProxy } from "../hub/proxy.ts"
import type { Database } from "../storage/database.ts"
import type { Events } from "./events.ts"

export interface SettingsService {
  get(): Settings
  update(change: SettingsChange): Settings
  handlers: Pick<Handlers<AppContract>, "settings.update">
}

export function createSettings(options: { database: Database; events: Events; warn(sentence: string): void }): SettingsService {
  const { database, events, warn } = options
  let current = read()

  function read(): Settings {
    const found: Record<string, unknown> = {}
    for (const { name, value } of database.all("SELECT name, value FROM settings")) {
      const field = Settings.shape[String(name) as keyof Settings] as (typeof Settings.shape)[keyof Settings] | undefined
      // One of a newer or older program.
      if (!field) continue
      const parsed = field.safeParse(parseJson(String(value)))
      if (parsed.success) found[String(name)] = parsed.data
      else warn(`The setting "${name}" could not be read (${String(value).slice(0, 80)}); its default is used.`)
    }
    return Settings.parse(found)
  }

  function update(change: SettingsChange): Settings {
    if (change.hubEndpoint) hubAddress(change.hubEndpoint, {})
    if (change.proxy) requireProxy(change.proxy)
    const entries = Object.entries(change).filter(([, value]) => value !== undefined)
    database.transaction(() => {
      for (const [name, value] of entries)
        database.run("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", name, JSON.stringify(value))
    })
    current = Settings.parse({ ...current, ...Object.fromEntries(entries) })
    events.emit({ type: "settings", settings: current })
    return current
  }

  return { get: () => current, update, handlers: { "settings.update": update } }
}

/** What is no JSON becomes a value that no setting takes. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return Symbol("no JSON")
  }
}
