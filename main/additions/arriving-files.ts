// The files of one addition between the download and those who read them. A verified weight file is handed to the quantizer in its turn,
// and when the quantizer and the quality check are done with it, its room on the disk is given back.
import { AppError } from "../../shared/schema/error.ts"
import type { SetFile, VerifiedFile } from "../hub/download-set.ts"
import { aborted } from "../services/turns.ts"
import type { Environment } from "./environment.ts"
import type { AdditionFolders } from "./folders.ts"

export interface ArrivingOptions {
  environment: Environment
  id: string
  folders: AdditionFolders
  /** Names of the weight files, and of the others, which come first. */
  weights: string[]
  others: string[]
  /** Files that are used are not deleted. */
  isKeeping: boolean
  /** No more files than one that is not quantized yet: the disk has no room for more. */
  isTight: boolean
  /** Bytes that the quantizer will still write. */
  madeBytes: number
  signal: AbortSignal
  /** Something cannot go on. */
  fail(thrown: unknown): void
}

export class ArrivingFiles {
  /** Resolves when all files beside the weights are in their places. */
  readonly othersHere: Promise<void>
  readonly #options: ArrivingOptions
  readonly #othersHere = Promise.withResolvers<void>()
  readonly #missingOthers: Set<string>
  readonly #begun = new Set<string>()
  readonly #verified = new Map<string, VerifiedFile>()
  readonly #quantized = new Set<string>()
  /** null: the check is over, or there is none. */
  #checked: Set<string> | null = null
  #abandonCheck = (_reason: string) => {}
  #madeBytes: number
  #releasing: Promise<void> = Promise.resolve()
  #waiting = new Set<() => void>()
  #hasTurn = false

  constructor(options: ArrivingOptions) {
    this.#options = options
    this.#madeBytes = options.madeBytes
    this.#missingOthers = new Set(options.others)
    this.othersHere = this.#othersHere.promise
    // Whoever waits for it is told; where nobody does, the end of the work is told otherwise.
    this.othersHere.catch(() => {})
    void aborted(options.signal).then(() => this.#othersHere.reject(new AppError("cancelled", "cancelled")))
    if (this.#missingOthers.size === 0) this.#othersHere.resolve()
  }

  /** From now on files wait for the check, too. `abandon` ends it where its files are in the way of the rest. */
  beginCheck(abandon: (reason: string) => void): void {
    this.#checked = new Set()
    this.#abandonCheck = abandon
  }

  /** Resolves when `file` may be downloaded. */
  async admit(file: SetFile, signal: AbortSignal): Promise<void> {
    const { isTight, weights } = this.#options
    if (!weights.includes(file.name)) return
    const isOneLeft = () => [...this.#begun].some((name) => name !== file.name && !this.#quantized.has(name))
    while (isTight && isOneLeft()) await this.#next(signal)
    if (isTight) await this.#makeRoom(file, signal)
    this.#begun.add(file.name)
  }

  /** Waits for files that only the check still reads, as long as it gets on. It may be waiting for this very file. */
  async #makeRoom(file: SetFile, signal: AbortSignal): Promise<void> {
    const { environment } = this.#options
    await this.settled()
    const isHeld = () => [...this.#verified.keys()].some((name) => this.#quantized.has(name))
    while (isHeld() && !(await this.#hasRoom(file))) {
      const timer = setTimeout(
        () => this.#abandonCheck("The disk has no room for the files that the check still needed beside those to come."),
        environment.checkPatience_ms,
      )
      await this.#next(signal).finally(() => clearTimeout(timer))
      await this.settled()
    }
  }

  async #hasRoom({ bytes }: SetFile): Promise<boolean> {
    const { environment, folders } = this.#options
    const needs = [
      { folder: folders.files, bytes, purpose: "download" },
      { folder: folders.made, bytes: this.#madeBytes, purpose: "quantized model" },
    ]
    const volumes = await environment.transfers.spacePerVolume(needs)
    return volumes.every(({ neededBytes, freeBytes }) => freeBytes >= neededBytes)
  }

  verified(file: VerifiedFile): void {
    const isWeight = this.#options.weights.includes(file.name)
    const work = isWeight ? this.#handOver(file) : this.#placeOther(file)
    work.catch((thrown) => this.#options.fail(thrown))
  }

  /** `writtenBytes`: of the quantized model, so far. */
  quantizerIsDoneWith(names: readonly string[], writtenBytes = 0): void {
    for (const name of names) this.#quantized.add(name)
    this.#madeBytes = Math.min(this.#madeBytes, Math.max(0, this.#options.madeBytes - writtenBytes))
    this.#changed()
  }

  /** Where there is room they wait for its end all the same: a check that is ended can begin afresh then. */
  checkIsDoneWith(names: readonly string[]): void {
    if (!this.#options.isTight) return
    for (const name of names) this.#checked?.add(name)
    this.#changed()
  }

  checkIsOver(): void {
    this.#checked = null
    this.#changed()
  }

  /** Whether a check that has to wait for others would keep files for which there is no room. */
  get isTight(): boolean {
    return this.#options.isTight
  }

  /** When all is downloaded and others are being quantized, this waits. */
  tellState(): void {
    const { environment, id, weights } = this.#options
    const { step, state } = environment.store.get(id)
    const isWaiting =
      step === "quantize" && !this.#hasTurn && weights.some((name) => this.#verified.has(name) && !this.#quantized.has(name))
    const next = isWaiting ? "waiting" : "running"
    if (state !== next && !this.#options.signal.aborted) environment.store.change(id, { state: next })
  }

  /** When everything that can be given back is. */
  async settled(): Promise<void> {
    this.#release()
    await this.#releasing
  }

  async #placeOther(file: VerifiedFile): Promise<void> {
    await this.#options.folders.place(file.name, file.path)
    this.#missingOthers.delete(file.name)
    if (this.#missingOthers.size === 0) this.#othersHere.resolve()
  }

  async #handOver(file: VerifiedFile): Promise<void> {
    const { environment, folders, signal } = this.#options
    this.#begun.add(file.name)
    this.#verified.set(file.name, file)
    const place = async () => {
      // It may have been used meanwhile, by a quantizer that goes on from before.
      if (this.#isUsed(file.name)) return
      await folders.place(file.name, file.path)
      await environment.engine.client["files.arrived"]({ folder: folders.model, name: file.name }, signal)
    }
    if (this.#quantized.has(file.name)) await place()
    else
      await environment.takeTurn(
        signal,
        () => {},
        async () => {
          this.#hasTurn = true
          this.tellState()
          try {
            await place()
            while (!this.#quantized.has(file.name) && !signal.aborted) await Promise.race([this.#change(), aborted(signal)])
          } finally {
            this.#hasTurn = false
            this.tellState()
          }
        },
      )
    this.#release()
  }

  #isUsed(name: string): boolean {
    return this.#quantized.has(name) && (this.#checked === null || this.#checked.has(name))
  }

  /** One after the other, so that an end of the process leaves each file whole or gone. */
  #release(): void {
    if (this.#options.isKeeping) return
    this.#releasing = this.#releasing.then(() => this.#releaseAll()).catch((thrown) => this.#options.fail(thrown))
  }

  async #releaseAll(): Promise<void> {
    const { environment, folders, id } = this.#options
    for (const [name, file] of this.#verified) {
      if (!this.#isUsed(name)) continue
      this.#verified.delete(name)
      await folders.putBack(name)
      // A file of the cache is not ours to delete.
      if (file.isCached) continue
      await environment.transfers.markUsed(folders.files, name)
      const files = environment.store.get(id).files.map((known) => (known.name === name ? { ...known, state: "used" as const } : known))
      environment.store.change(id, { files })
    }
  }

  /** Resolves at the next change. */
  async #next(signal: AbortSignal): Promise<void> {
    if (!signal.aborted) await Promise.race([this.#change(), aborted(signal)])
    if (signal.aborted) throw new AppError("cancelled", "cancelled")
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve))
  }

  #changed(): void {
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
    this.#release()
  }
}
