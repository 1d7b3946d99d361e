// Where a Python package can be downloaded: asked from the user's own pip, which knows the index, the mirror and the certificates that
// are set up on this computer. pip only looks; it installs nothing.
import { spawn } from "node:child_process"
import { z } from "zod"
import { AppError } from "../../shared/schema/error.ts"

export interface PythonCommand {
  command: string
  arguments: string[]
}

export interface PackageQuestion {
  name: string
  version: string
  signal: AbortSignal
  /** What starts Python here, tried in order. */
  commands?: PythonCommand[]
  timeout_ms?: number
}

const usualCommands: PythonCommand[] = [
  { command: "python3", arguments: [] },
  { command: "python", arguments: [] },
  ...(process.platform === "win32" ? [{ command: "py", arguments: ["-3"] }] : []),
]

const longestReport_bytes = 4 << 20
const longestLog_bytes = 64 << 10

const Report = z.object({
  install: z.array(
    z.object({ download_info: z.object({ url: z.string() }), metadata: z.object({ name: z.string(), version: z.string() }) }),
  ),
})

/** The address of the package's file: https:, http: or file:. */
export async function locatePackage(question: PackageQuestion): Promise<string> {
  const reasons: string[] = []
  for (const command of question.commands ?? usualCommands) {
    const outcome = await ask(command, question)
    if ("report" in outcome) return addressIn(outcome.report, question)
    reasons.push(`${command.command}: ${outcome.reason}`)
  }
  throw new AppError(
    "network",
    `pip could not find ${question.name} ${question.version} (${reasons.join("; ")}).`,
    "Check the network connection.",
  )
}

type Outcome = { report: string } | { reason: string }

function ask(
  { command, arguments: before }: PythonCommand,
  { name, version, signal, timeout_ms = 60_000 }: PackageQuestion,
): Promise<Outcome> {
  if (signal.aborted) return Promise.reject(new AppError("cancelled", "cancelled"))
  const options = ["--dry-run", "--ignore-installed", "--no-deps", "--quiet", "--report", "-"]
  const child = spawn(command, [...before, "-m", "pip", "install", ...options, `${name}==${version}`], {
    stdio: ["ignore", "pipe", "pipe"],
    windowsHide: true,
    env: withoutColor(process.env),
  })
  return new Promise<Outcome>((resolve, reject) => {
    let report = ""
    let log = ""
    const end = (settle: () => void) => {
      clearTimeout(timer)
      signal.removeEventListener("abort", cancel)
      child.kill("SIGKILL")
      settle()
    }
    const cancel = () => end(() => reject(new AppError("cancelled", "cancelled")))
    const timer = setTimeout(() => end(() => resolve({ reason: `no answer within ${timeout_ms / 1000} s` })), timeout_ms)
    signal.addEventListener("abort", cancel)
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      report += text
      if (report.length > longestReport_bytes) end(() => resolve({ reason: "its report is too long" }))
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log = (log + text).slice(-longestLog_bytes)
    })
    child.once("error", (error) =>
      end(() => resolve({ reason: "code" in error && error.code === "ENOENT" ? "not installed" : error.message })),
    )
    child.once("close", (code) => end(() => resolve(code === 0 ? { report } : { reason: lastWords(log) || `ended with code ${code}` })))
  })
}

/** pip colors its report, too, where these tell it that a pipe is a terminal. */
function withoutColor({ FORCE_COLOR: _, TTY_COMPATIBLE: __, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, NO_COLOR: "1" }
}

/** The last line that says something, without the names and passwords that an index's address may hold. */
function lastWords(log: string): string {
  const lines = log.split("\n").filter((line) => line.trim() !== "")
  const line = lines.findLast((text) => text.startsWith("ERROR:")) ?? lines.at(-1) ?? ""
  return line
    .replace(/^ERROR: /, "")
    .replace(/\/\/[^/@\s]+@/g, "//")
    .trim()
    .slice(0, 300)
}

function addressIn(text: string, { name, version }: PackageQuestion): string {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = null
  }
  const parsed = Report.safeParse(json)
  const plain = (text: string) => text.toLowerCase().replace(/[-_.]+/g, "-")
  const found = parsed.data?.install.find(({ metadata }) => plain(metadata.name) === plain(name) && metadata.version === version)
  const url = found?.download_info.url
  if (!url || !/^(https?|file):\/\//.test(url))
    throw new AppError("network", `pip did not say where ${name} ${version} is.`, "Update pip: python3 -m pip install --upgrade pip")
  return url
}
