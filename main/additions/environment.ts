// What the work on an addition needs from the rest of the program.
import type { HubModel } from "../../shared/schema/hub.ts"
import type { Engine } from "../engine/client.ts"
import type { fetchAgain, useUp } from "../hub/download-manifest.ts"
import type { downloadSet, SetFile } from "../hub/download-set.ts"
import type { missingBytes, requireVolumes, spacePerVolume } from "../hub/download-space.ts"
import type { Network } from "../hub/network.ts"
import type { Inspect } from "../services/models.ts"
import type { Registry } from "../services/registry.ts"
import type { SettingsService } from "../services/settings.ts"
import type { TakeTurn } from "../services/turns.ts"
import type { DataPaths } from "../storage/paths.ts"
import type { AdditionStore } from "./store.ts"

export interface AdditionHub {
  /** As hub.model of the contract. `name` may end in "@revision". */
  model(wish: { name: string; variant?: string }): Promise<HubModel>
  /** Where files of a repository come from, and what is shown for permission. */
  sources(model: { name: string; revision: string }, files: HubModel["files"]): Promise<{ files: SetFile[]; authorization: string | null }>
}

export interface Transfers {
  downloadSet: typeof downloadSet
  /** A file was made into something else: it goes, and is not missed. */
  markUsed: typeof useUp
  fetchAgain: typeof fetchAgain
  missingBytes: typeof missingBytes
  requireVolumes: typeof requireVolumes
  spacePerVolume: typeof spacePerVolume
}

export interface Environment {
  paths: DataPaths
  engine: Pick<Engine, "client">
  registry: Registry
  settings: Pick<SettingsService, "get">
  inspect: Inspect
  hub: AdditionHub
  transfers: Transfers
  network: Network
  store: AdditionStore
  /** One quantizer at a time. */
  takeTurn: TakeTurn
  /** One quality check at a time. */
  takeCheckTurn: TakeTurn
  /** How long a check without progress may hold files for which there is no room. */
  checkPatience_ms: number
}
