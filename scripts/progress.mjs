// Says what a script is doing: numbered steps with their time, and how far a step is where the tool under it tells.
// Everything goes to standard error, so that standard output stays free for results.
import { spawn } from "node:child_process"
import { createWriteStream, mkdirSync } from "node:fs"
import { join } from "node:path"
import { top } from "./places.mjs"

/** A failure with a sentence for the user; scripts print it without a stack trace. */
export class Failure extends Error {}

/** Ends the script on a failure: the sentence alone where there is one, everything where our own code is at fault. */
export function fail(error) {
  process.stderr.write(`\n${error instanceof Failure ? error.message : error.stack}\n`)
  process.exit(1)
}

const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`

/**
 * Runs one step. On a terminal its line is rewritten in place; elsewhere start, end and a sign of life every 15 s are printed.
 * `action` gets `report(text)` to tell how far it is.
 */
export async function step(label, title, action) {
  const out = process.stderr
  const since = Date.now()
  let state = ""
  const line = () => `${label} ${title}${state && ` · ${state}`} · ${seconds(since)}`
  const show = out.isTTY ? () => out.write(`\r\x1b[2K${line().slice(0, out.columns - 1)}`) : () => out.write(`${line()}\n`)
  if (!out.isTTY) out.write(`${label} ${title}\n`)
  const timer = setInterval(show, out.isTTY ? 200 : 15_000)
  try {
    return await action((text) => {
      state = text
    })
  } finally {
    clearInterval(timer)
    state = ""
    show()
    if (out.isTTY) out.write("\n")
  }
}

/**
 * Runs a tool with its output in build/logs/<name>.log. `onLine` sees each line. A failing tool becomes a Failure with the
 * last lines of its output.
 */
export function runLogged(name, command, args, { onLine = () => {}, ...options } = {}) {
  mkdirSync(join(top, "build/logs"), { recursive: true })
  const logFile = join(top, "build/logs", `${name}.log`)
  const log = createWriteStream(logFile)
  const tail = []
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: top, stdio: ["ignore", "pipe", "pipe"], ...options })
    for (const stream of [child.stdout, child.stderr]) {
      let rest = ""
      stream.setEncoding("utf8").on("data", (text) => {
        log.write(text)
        const lines = (rest + text).split(/\r?\n|\r/)
        rest = lines.pop()
        for (const line of lines) {
          onLine(line)
          tail.push(line)
          if (tail.length > 40) tail.shift()
        }
      })
      stream.on("end", () => rest && tail.push(rest))
    }
    child.on("error", (error) => reject(new Failure(`${command} could not be started: ${error.message}`)))
    child.on("close", (code, signal) => {
      log.end()
      if (code === 0) return resolve()
      const how = signal ? `was ended by ${signal}` : `ended with code ${code}`
      reject(new Failure(`${tail.join("\n")}\n\n${command} ${args.slice(0, 3).join(" ")} ${how}. Its whole output is in ${logFile}.`))
    })
  })
}

/** Runs npm, the one that started this script where there is one, with its output in build/logs/<name>.log. */
export function npm(name, args) {
  const running = process.env.npm_execpath
  return running?.endsWith("js")
    ? runLogged(name, process.execPath, [running, ...args])
    : runLogged(name, "npm", args, { shell: process.platform === "win32" })
}

/**
 * Runs a program in this terminal and resolves with its exit code (128 + n when signal n ended it). Signals sent to this process reach
 * it too; an interrupt typed at a terminal goes to both of us by itself.
 */
export function runInForeground(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "inherit", ...options })
    const forward = (signal) => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal)
    }
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"]
    for (const signal of signals) process.on(signal, forward)
    const settle = (end) => {
      for (const signal of signals) process.off(signal, forward)
      end()
    }
    child.on("error", (error) => settle(() => reject(new Failure(`${command} could not be started: ${error.message}`))))
    child.on("exit", (code, signal) => settle(() => resolve(code ?? 128 + signalNumbers[signal])))
  })
}

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGABRT: 6, SIGBUS: 7, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 }
