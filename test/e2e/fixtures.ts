// What every end-to-end test stands on: the built program, served by the pinned Node on a free port with a data folder of its own,
// and ways to restart it and to kill its engine.
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test as base, expect } from "@playwright/test"
import { cliBundle, pinnedNode } from "../../scripts/places.mjs"

export { expect }

const start_ms = 20_000
const stop_ms = 10_000

export class ServedApp {
  /** The address with its one-time token: opens the page once per start. */
  url = ""
  readonly home: string
  private readonly env: Record<string, string>
  private process: ChildProcess | null = null
  private log = ""

  constructor(home: string, env: Record<string, string>) {
    this.home = home
    this.env = env
  }

  async start(): Promise<void> {
    const env = { ...process.env, BROWSER: "none", ...this.env, NIBBLE_HOME: this.home }
    const child = spawn(pinnedNode, [cliBundle, "serve", "--port", "0"], { env, stdio: ["ignore", "pipe", "pipe"] })
    this.process = child
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.log += text
    })
    this.url = await new Promise<string>((resolve, reject) => {
      let out = ""
      const late = setTimeout(() => reject(new Error(`no address within ${start_ms} ms; the server said:\n${out}${this.log}`)), start_ms)
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        out += text
        const line = out.match(/^(http:\/\/\S+)\r?\n/m)
        if (!line?.[1]) return
        clearTimeout(late)
        resolve(line[1])
      })
      child.once("exit", (code) => {
        clearTimeout(late)
        reject(new Error(`the server ended with code ${code} before it gave an address:\n${out}${this.log}`))
      })
    })
  }

  /** Ends the server as Ctrl+C does. A server that has to be killed, or ends with a failure, fails the test. */
  async stop(): Promise<void> {
    const child = this.process
    this.process = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()))
    child.kill("SIGINT")
    const late = setTimeout(() => child.kill("SIGKILL"), stop_ms)
    await ended
    clearTimeout(late)
    expect(child.signalCode, `the server did not end within ${stop_ms} ms of an interrupt\n${this.log}`).toBeNull()
    expect([0, 130], this.log).toContain(child.exitCode)
  }

  /** Ends the server as a power cut does. */
  async kill(): Promise<void> {
    const child = this.process
    this.process = null
    if (!child) return
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()))
    child.kill("SIGKILL")
    await ended
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** Kills the engine host, as a driver fault or the system's out-of-memory killer would. */
  killEngine(): void {
    const engine = processesBelow(this.process?.pid ?? 0).find(({ command }) => /\bhost\.mjs\b/.test(command))
    if (!engine) throw new Error(`no engine host is running below process ${this.process?.pid}`)
    process.kill(engine.pid, "SIGKILL")
  }

  /** Everything the server wrote to standard error so far. */
  get errors(): string {
    return this.log
  }
}

interface RunningProcess {
  pid: number
  parent: number
  command: string
}

function processesBelow(ancestor: number): RunningProcess[] {
  const all = process.platform === "linux" ? processesFromProc() : processesFromPs()
  const below = new Set([ancestor])
  // Parents have mostly, not always, lower numbers than their children: repeat until nothing is added.
  for (let before = 0; before !== below.size; ) {
    before = below.size
    for (const one of all) if (below.has(one.parent)) below.add(one.pid)
  }
  return all.filter(({ pid }) => pid !== ancestor && below.has(pid))
}

function processesFromProc(): RunningProcess[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // "pid (name) state parent …"; the name may hold spaces and parentheses.
        const afterName = readFileSync(`/proc/${name}/stat`, "utf8").replace(/^.*\) /s, "")
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ")
        return [{ pid: Number(name), parent: Number(afterName.split(" ")[1]), command }]
      } catch {
        return [] // ended meanwhile
      }
    })
}

function processesFromPs(): RunningProcess[] {
  return execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" })
    .split("\n")
    .flatMap((line) => {
      const [, pid, parent, command] = line.match(/^\s*(\d+)\s+(\d+)\s+(.*)$/) ?? []
      return pid && parent && command ? [{ pid: Number(pid), parent: Number(parent), command }] : []
    })
}

interface Fixtures {
  /** The data folder of this test; removed after it. */
  home: string
  /** Environment of the served program besides the data folder; set by `test.use({ serverEnv: … })`. */
  serverEnv: Record<string, string>
  /** The running program; stopped after the test. */
  app: ServedApp
}

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the needed fixtures from this pattern.
  home: async ({}, use) => {
    const home = mkdtempSync(join(tmpdir(), "nibble-e2e-"))
    await use(home)
    rmSync(home, { recursive: true, force: true })
  },
  serverEnv: [{}, { option: true }],
  app: async ({ home, serverEnv }, use, testInfo) => {
    const app = new ServedApp(home, serverEnv)
    await app.start()
    await use(app)
    if (testInfo.status !== testInfo.expectedStatus) await testInfo.attach("server log", { body: app.errors })
    await app.stop()
  },
})
