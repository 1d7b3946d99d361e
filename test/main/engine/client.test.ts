// Supervision: real host processes that are killed, hosts that cannot start, hosts that die again and again.
import { spawn } from "node:child_process"
import { expect, test, vi } from "vitest"
import { type Engine, startEngine } from "../../../main/engine/client.ts"
import { forkHost, hostOfChild } from "../../../main/engine/fork.ts"
import { testEngine } from "./fixtures.ts"

function states(engine: Engine): string[] {
  const seen: string[] = []
  engine.onState(({ state }) => seen.push(state))
  return seen
}

/** A process that has the channel of a host but not its manners. */
function scriptedHost(code: string) {
  return hostOfChild(spawn(process.execPath, ["-e", code], { stdio: ["ignore", "ignore", "pipe", "ipc"], serialization: "advanced" }))
}

test("nothing is started until something is asked", async () => {
  const engine = testEngine()
  const seen = states(engine)
  expect(engine.pid).toBeUndefined()
  expect(engine.state).toEqual({ state: "starting", reason: null })
  const info = await engine.client["engine.info"](undefined)
  expect(info.backends).toContain("ref")
  await vi.waitFor(() => expect(engine.state.state).toBe("ready"))
  expect(seen).toEqual(["starting", "ready"])
  expect(process.kill(engine.pid as number, 0)).toBe(true)
})

test("a killed host rejects its calls with the reason, and the next call works", async () => {
  const engine = testEngine()
  await engine.client["engine.info"](undefined)
  await vi.waitFor(() => expect(engine.state.state).toBe("ready"))
  const seen = states(engine)
  const first = engine.pid as number
  const open = engine.client["engine.bandwidth"]({ bytes: 1 << 28, threads: 1 })
  process.kill(first, "SIGKILL")
  await expect(open).rejects.toMatchObject({
    code: "engine_lost",
    message: expect.stringContaining("killed by signal 9"),
    hint: expect.any(String),
  })
  await engine.client["engine.info"](undefined)
  expect(engine.pid).not.toBe(first)
  await vi.waitFor(() => expect(seen).toEqual(["lost", "starting", "ready"]))
})

test("a host that fails says so with its last lines, and is not started for ever", async () => {
  let starts = 0
  const engine = testEngine(() => {
    starts++
    return scriptedHost(
      `for (let i = 0; i < 30; i++) console.error("line", i); process.exitCode = 3; setTimeout(() => process.disconnect(), 20)`,
    )
  })
  const seen = states(engine)
  await expect(engine.client["engine.info"](undefined)).rejects.toMatchObject({
    code: "engine_lost",
    message: expect.stringMatching(/exit code 3.*line 10\n.*line 29$/s),
  })
  await vi.waitFor(() => expect(starts).toBe(3))
  await vi.waitFor(() => expect(engine.state.state).toBe("lost"))
  expect(engine.state.reason).toContain("exit code 3")
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(starts).toBe(3)
  expect(seen.filter((state) => state === "lost")).toHaveLength(3)
  // Asked again, it tries again.
  await expect(engine.client["engine.info"](undefined)).rejects.toMatchObject({ code: "engine_lost" })
  expect(starts).toBe(4)
})

test("a program that is not there", async () => {
  const engine = testEngine(() => hostOfChild(spawn("/nowhere/node", [], { stdio: ["ignore", "ignore", "pipe", "ipc"] })))
  await expect(engine.client["engine.info"](undefined)).rejects.toMatchObject({
    code: "engine_lost",
    message: expect.stringContaining("ENOENT"),
  })
})

test("a host whose engine cannot be loaded lives and says why", async () => {
  const before = process.env.NIBBLE_ENGINE
  process.env.NIBBLE_ENGINE = "/nowhere/engine.node"
  const engine = testEngine()
  const asked = engine.client["engine.info"](undefined)
  if (before === undefined) delete process.env.NIBBLE_ENGINE
  else process.env.NIBBLE_ENGINE = before
  await expect(asked).rejects.toMatchObject({
    code: "internal",
    message: expect.stringContaining("/nowhere/engine.node"),
    hint: expect.stringContaining("NIBBLE_ENGINE"),
  })
  await vi.waitFor(() => expect(engine.state).toMatchObject({ state: "lost", reason: expect.stringContaining("cannot be loaded") }))
})

test("closing ends the host and what it was asked, and nothing starts again", async () => {
  const engine = startEngine({ spawn: forkHost })
  await engine.client["engine.info"](undefined)
  const pid = engine.pid as number
  const open = engine.client["engine.bandwidth"]({ bytes: 1 << 28, threads: 1 })
  const rejected = expect(open).rejects.toMatchObject({ code: expect.stringMatching(/engine_lost|cancelled/) })
  await engine.close()
  await rejected
  expect(() => process.kill(pid, 0)).toThrow()
  await expect(engine.client["engine.info"](undefined)).rejects.toMatchObject({ code: "engine_lost", message: "The engine was closed." })
  await engine.close()
})

test("the host ends with the process that started it", async () => {
  const fork = new URL("../../../main/engine/fork.ts", import.meta.url).href
  const parent = spawn(process.execPath, [
    "--input-type=module",
    "-e",
    `import { forkHost } from "${fork}"; const host = forkHost(); console.log(host.pid); setInterval(() => {}, 1000)`,
  ])
  const pid = await new Promise<number>((resolve) => parent.stdout.once("data", (text) => resolve(Number(text))))
  expect(process.kill(pid, 0)).toBe(true)
  await new Promise((resolve) => setTimeout(resolve, 300))
  parent.kill("SIGKILL")
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(), { timeout: 5000, interval: 50 })
})

test("a host without anyone to talk to ends with an error", async () => {
  const host = spawn(process.execPath, [new URL("../../../main/engine/host.ts", import.meta.url).pathname], {
    stdio: ["ignore", "ignore", "pipe"],
  })
  let text = ""
  host.stderr.on("data", (part) => {
    text += part
  })
  const code = await new Promise((resolve) => host.once("close", resolve))
  expect(code).toBe(2)
  expect(text).toContain("started by Nibble")
})
