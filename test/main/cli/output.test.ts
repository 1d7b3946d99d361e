// What goes where, and that no text from elsewhere commands the terminal.
import { expect, it } from "vitest"
import { createOutput } from "../../../main/cli/output.ts"
import { createProgress } from "../../../main/cli/progress.ts"

function stream(isTTY = false, columns = 80) {
  const written: string[] = []
  const fake = { isTTY, columns, write: (text: string) => written.push(text) > 0 } as unknown as NodeJS.WritableStream & { isTTY: boolean }
  return { fake, written }
}

const normal = { json: false, quiet: false, verbose: false }

it("keeps standard output for results", () => {
  const [out, error] = [stream(), stream()]
  const output = createOutput(normal, { out: out.fake, error: error.fake })
  output.write("a")
  output.line("b")
  output.say("c")
  output.warn("d")
  expect([out.written.join(""), error.written.join("")]).toEqual(["ab\n", "c\nd\n"])
})

it("prints no text with --json, and only warnings with --quiet", () => {
  const [out, error] = [stream(), stream(true)]
  const output = createOutput({ json: true, quiet: true, verbose: false }, { out: out.fake, error: error.fake })
  output.line("text")
  output.say("remark")
  output.progress("Loading").update(1)
  output.warn("warning")
  expect([out.written, error.written]).toEqual([[], ["warning\n"]])
})

it("shows control characters on a terminal as what they are not, and passes them on elsewhere", () => {
  const [terminal, file] = [stream(true), stream(false)]
  const text = "a\x1b]0;title\x07b\x9b2J\r\n\tc\x00"
  createOutput(normal, { out: terminal.fake, error: terminal.fake }).write(text)
  createOutput(normal, { out: file.fake, error: file.fake }).write(text)
  expect(terminal.written).toEqual(["a\ufffd]0;title\ufffdb\ufffd2J\n\tc\ufffd"])
  expect(file.written).toEqual([text])
})

it("draws a bar on a terminal once it takes long, and takes it away", () => {
  const { fake, written } = stream(true, 60)
  let now = 0
  const progress = createProgress("Loading", fake, () => now)
  progress.update(0.1)
  expect(written).toEqual([])
  now = 400
  progress.update(0.5, "a tensor with a name that does not fit into one line of this terminal")
  progress.update(0.6)
  expect(written).toHaveLength(1)
  expect(written[0]).toContain(`\r\x1b[2KLoading ${"█".repeat(12)}${"░".repeat(12)}  50 % · a tensor`)
  expect(written[0]!.length).toBeLessThanOrEqual("\r\x1b[2K".length + 59)
  progress.end("Loaded")
  expect(written.slice(1)).toEqual(["\r\x1b[2K", "Loaded\n"])
})

it("writes a line now and then where there is no terminal", () => {
  const { fake, written } = stream(false)
  let now = 0
  const progress = createProgress("Quantizing", fake, () => now)
  for (now = 0; now <= 5000; now += 100) progress.update(now / 5000, "item\x1b[2J")
  progress.end()
  expect(written).toEqual(["Quantizing  40 % · item\ufffd[2J\n", "Quantizing  80 % · item\ufffd[2J\n"])
})
