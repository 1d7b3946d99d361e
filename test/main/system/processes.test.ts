import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { largestOthers, listProcesses, parsePs, parseTasklist } from "../../../main/system/processes.ts"
import { scratchFolder } from "../scratch.ts"

const mebibyte = 2 ** 20

interface Process {
  pid: number
  parent: number
  name: string
  residentKib?: number
  pssKib?: number
  program?: string
}

function procOf(processes: Process[]): string {
  const root = scratchFolder()
  mkdirSync(join(root, "proc/sys"), { recursive: true })
  for (const { pid, parent, name, residentKib, pssKib, program } of processes) {
    const folder = join(root, "proc", String(pid))
    mkdirSync(folder)
    const resident = residentKib === undefined ? "" : `VmRSS:\t${residentKib} kB\n`
    writeFileSync(join(folder, "status"), `Name:\t${name}\nPid:\t${pid}\nPPid:\t${parent}\n${resident}`)
    if (pssKib !== undefined) writeFileSync(join(folder, "smaps_rollup"), `0-1 ---p 0 00:00 0 [rollup]\nRss: 9 kB\nPss:   ${pssKib} kB\n`)
    if (program) symlinkSync(program, join(folder, "exe"))
  }
  return root
}

it("reads /proc: shares of shared pages where they can be read, and the program in the place of a helper's name", async () => {
  const root = procOf([
    { pid: 1, parent: 0, name: "init", residentKib: 8000 },
    { pid: 2, parent: 0, name: "kthreadd" },
    { pid: 30, parent: 1, name: "firefox", residentKib: 400_000, pssKib: 300_000, program: "/usr/lib/firefox/firefox" },
    { pid: 31, parent: 30, name: "Isolated Web Co", residentKib: 200_000, pssKib: 100_000, program: "/usr/lib/firefox/firefox (deleted)" },
    { pid: 40, parent: 1, name: "secret", residentKib: 100_000 },
    { pid: 50, parent: 1, name: "database", residentKib: 8 * mebibyte, pssKib: 1 },
  ])
  const processes = await listProcesses({ platform: "linux", root })
  expect(processes.map(({ pid, name, bytes }) => [pid, name, bytes / 1024])).toEqual([
    [1, "init", 8000],
    [30, "firefox", 300_000],
    [31, "firefox", 100_000],
    [40, "secret", 100_000],
    [50, "database", 8 * mebibyte],
  ])
})

it("sums by program and leaves out what is ours, with what we started", () => {
  const processes = [
    { pid: 5, parent: 4, name: "node", bytes: 50 },
    { pid: 4, parent: 3, name: "node", bytes: 40 },
    { pid: 3, parent: 1, name: "node", bytes: 30 },
    { pid: 7, parent: 1, name: "firefox", bytes: 20 },
    { pid: 8, parent: 7, name: "firefox", bytes: 15 },
    { pid: 9, parent: null, name: "shell", bytes: 34 },
    { pid: 10, parent: 1, name: "tiny", bytes: 1 },
  ]
  expect(largestOthers(processes, [4], 3)).toEqual([
    { name: "firefox", bytes: 35 },
    { name: "shell", bytes: 34 },
    { name: "node", bytes: 30 },
  ])
})

it("reads what ps says on macOS", async () => {
  const text = `    1     0  12345 /sbin/launchd
  501     1 204800 /Applications/Safari Preview.app/Contents/MacOS/Safari
  777   501   1024 /System/Library/PrivateFrameworks/My Thing.framework/helper
`
  const expected = [
    { pid: 1, parent: 0, name: "launchd", bytes: 12_345 * 1024 },
    { pid: 501, parent: 1, name: "Safari Preview", bytes: 200 * mebibyte },
    { pid: 777, parent: 501, name: "helper", bytes: mebibyte },
  ]
  expect(parsePs(text)).toEqual(expected)
  expect(await listProcesses({ platform: "darwin", run: async (file) => (file === "ps" ? text : null) })).toEqual(expected)
})

it("reads what tasklist says on Windows, however it parts thousands", async () => {
  const text = `"System","4","Services","0","148 K"\r\n"firefox.exe","812","Console","1","412.320 K"\r\n"a b.EXE","9","Console","1","1\u202f024 Ko"\r\n`
  expect(parseTasklist(text)).toEqual([
    { pid: 4, parent: null, name: "System", bytes: 148 * 1024 },
    { pid: 812, parent: null, name: "firefox", bytes: 412_320 * 1024 },
    { pid: 9, parent: null, name: "a b", bytes: mebibyte },
  ])
  expect(await listProcesses({ platform: "win32", run: async () => null })).toEqual([])
})
