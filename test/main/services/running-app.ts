// The whole app with a fake engine, used as a page uses it: over a port, with every answer checked against the contract.
import { onTestFinished } from "vitest"
import { type App, type AppOptions, createApp } from "../../../main/app.ts"
import { type AppEvent, app as contract } from "../../../shared/contract/app.ts"
import { type Client, connect, serve } from "../../../shared/rpc.ts"
import type { Job } from "../../../shared/schema/job.ts"
import { type PairEnd, portPair } from "../port-pair.ts"
import { scratchFolder } from "../scratch.ts"
import { FakeEngine } from "./fake-engine.ts"

export interface RunningApp {
  app: App
  engine: FakeEngine
  home: string
  client: Client<typeof contract>
  /** Everything that was told since the start. */
  events: AppEvent[]
  warnings: string[]
  port: PairEnd
  /** Another page. */
  open(): { client: Client<typeof contract>; port: PairEnd }
  ended(job: Job): Promise<Job>
  /** Closes it and starts another on the same folder. */
  restart(): Promise<RunningApp>
}

export async function runApp(options: Partial<AppOptions> & { engine?: FakeEngine } = {}): Promise<RunningApp> {
  const { engine = new FakeEngine(), home = scratchFolder(), ...rest } = options
  const warnings: string[] = []
  const warn = (sentence: string) => void warnings.push(sentence)
  const app = await createApp({ home, face: "served", startHost: engine.startHost, version: "0.1.0", env: {}, warn, ...rest })
  onTestFinished(() => app.close())
  const events: AppEvent[] = []
  app.services.events.subscribe((event) => events.push(event))
  const open = () => {
    const [page, main] = portPair()
    serve(contract, app.handlers, main, { isChecked: true })
    return { client: connect(contract, page, { code: "network", message: "gone" }), port: page }
  }
  const restart = async () => {
    await app.close()
    return runApp({ ...options, home })
  }
  return { app, engine, home, events, warnings, ...open(), open, ended: (job) => app.services.jobs.ended(job.id), restart }
}

/** An app with a model that is loaded. */
export async function runWithModel(path: string, options: Parameters<typeof runApp>[0] = {}): Promise<RunningApp & { modelId: string }> {
  const running = await runApp(options)
  const { modelId } = await running.ended(await running.client["models.import"]({ path }))
  if (modelId === null) throw new Error("the model was not added")
  await running.client["models.load"]({ modelId })
  return { ...running, modelId }
}
