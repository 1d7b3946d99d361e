// Which programs hold how much memory. Linux tells in /proc, macOS through ps, Windows through tasklist.
import { readdir, readFile, readlink } from "node:fs/promises"
import { basename, join } from "node:path"
import { type RunProgram, runProgram } from "./run-program.ts"

export interface ProcessMemory {
  pid: number
  /** null where the system does not tell cheaply. */
  parent: number | null
  /** The program's: all processes of one program have the same. */
  name: string
  bytes: number
}

export interface ProcessesOptions {
  platform?: NodeJS.Platform
  /** The folder that /proc is read from. */
  root?: string
  run?: RunProgram
}

/** Smaller ones are too many to look at closely, and nobody asks for them. */
const worthLooking_bytes = 16 * 2 ** 20
/** Counting the shares of shared pages walks all of a process's pages; of larger ones the resident memory has to do. */
const cheapToShare_bytes = 4 * 2 ** 30

/** All processes that the system shows to this user; those it tells nothing of are missing. */
export async function listProcesses(options: ProcessesOptions = {}): Promise<ProcessMemory[]> {
  const { platform = process.platform, root = "/", run = runProgram } = options
  if (platform === "linux") return readProc(root)
  if (platform === "win32") return parseTasklist((await run("tasklist", ["/FO", "CSV", "/NH"])) ?? "")
  return parsePs((await run("ps", ["-axo", "pid=,ppid=,rss=,comm="])) ?? "")
}

/** The largest programs that are not of `own` nor started by it, instances summed. */
export function largestOthers(processes: ProcessMemory[], own: Iterable<number>, count: number): { name: string; bytes: number }[] {
  const ours = withDescendants(processes, own)
  const sums = new Map<string, number>()
  for (const { pid, name, bytes } of processes) if (!ours.has(pid)) sums.set(name, (sums.get(name) ?? 0) + bytes)
  return [...sums]
    .map(([name, bytes]) => ({ name, bytes }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, count)
}

function withDescendants(processes: ProcessMemory[], own: Iterable<number>): Set<number> {
  const ours = new Set(own)
  for (let before = -1; before !== ours.size; ) {
    before = ours.size
    for (const { pid, parent } of processes) if (parent !== null && ours.has(parent)) ours.add(pid)
  }
  return ours
}

/** "Name:  1234 kB" of a file in /proc as a number of bytes, or of anything else as it stands; null when it is not there. */
export function procField(text: string, name: string): string | null {
  return text.match(new RegExp(`^${name}:[ \\t]*(.*)$`, "m"))?.[1] ?? null
}
export function procBytes(text: string, name: string): number | null {
  const kibibytes = Number.parseInt(procField(text, name) ?? "", 10)
  return Number.isNaN(kibibytes) ? null : kibibytes * 1024
}

async function readProc(root: string): Promise<ProcessMemory[]> {
  const pids = (await readdir(join(root, "proc")).catch(() => [])).filter((name) => /^\d+$/.test(name))
  const all = await Promise.all(pids.map((pid) => readProcess(join(root, "proc", pid), Number(pid))))
  return all.filter((one) => one !== null)
}

/** null: it has ended meanwhile, or it is the kernel's own. */
async function readProcess(folder: string, pid: number): Promise<ProcessMemory | null> {
  const status = await readFile(join(folder, "status"), "utf8").catch(() => "")
  const resident = procBytes(status, "VmRSS")
  if (resident === null) return null
  const parent = Number(procField(status, "PPid") ?? 0)
  const shortName = procField(status, "Name") ?? String(pid)
  if (resident < worthLooking_bytes) return { pid, parent, name: shortName, bytes: resident }
  const [program, rollup] = await Promise.all([
    // Helpers rename themselves ("Isolated Web Co"); the file they run tells what they belong to.
    readlink(join(folder, "exe")).catch(() => ""),
    resident < cheapToShare_bytes ? readFile(join(folder, "smaps_rollup"), "utf8").catch(() => "") : "",
  ])
  const name = basename(program.replace(/ \(deleted\)$/, "")) || shortName
  return { pid, parent, name, bytes: procBytes(rollup, "Pss") ?? resident }
}

/** Lines of "pid ppid KiB path"; the path of a program in a bundle has the bundle's name. */
export function parsePs(text: string): ProcessMemory[] {
  return [...text.matchAll(/^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.+?)\s*$/gm)].map(([, pid, parent, kibibytes, path]) => ({
    pid: Number(pid),
    parent: Number(parent),
    name: path?.match(/([^/]+)\.app\//)?.[1] ?? basename(path ?? ""),
    bytes: Number(kibibytes) * 1024,
  }))
}

/** Lines of "name.exe","pid","session","number","12,345 K"; how thousands are parted depends on the language of the system. */
export function parseTasklist(text: string): ProcessMemory[] {
  return [...text.matchAll(/^"([^"]*)","(\d+)","[^"]*","[^"]*","([^"]*)"/gm)].map(([, image = "", pid, memory = ""]) => ({
    pid: Number(pid),
    parent: null,
    name: image.replace(/\.exe$/i, ""),
    bytes: Number(memory.replace(/\D/g, "")) * 1024,
  }))
}
