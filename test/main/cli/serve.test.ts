// The served program as a process: its first line, its lock, its port, its end.
import type { ChildProcess } from "node:child_process"
import { mkdirSync, mkdtempSync, statSync, writeFileSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { createServer } from "node:net"
import { join } from "node:path"
import { expect, it } from "vitest"
import { WebSocket } from "ws"
import { socketPort } from "../../../main/serve/socket-port.ts"
import { app } from "../../../shared/contract/app.ts"
import { connect } from "../../../shared/rpc.ts"
import { nibble, type Run, scratch } from "./run-cli.ts"

const page = join(scratch, "page")
mkdirSync(page)
writeFileSync(join(page, "index.html"), "<p>page</p>")

interface Served {
  url: string
  home: string
  child: ChildProcess
  ended: Promise<Run>
}

/** Resolves once the first line is out. */
async function serve(args: string[], home = mkdtempSync(join(scratch, "served-"))): Promise<Served> {
  const first = Promise.withResolvers<string>()
  let child: ChildProcess | undefined
  const ended = nibble(["serve", ...args], {
    env: { NIBBLE_HOME: home, NIBBLE_PAGE: page },
    onStart(started) {
      child = started
      let out = ""
      started.stdout?.on("data", (text: string) => {
        out += text
        if (out.includes("\n")) first.resolve(out.slice(0, out.indexOf("\n")))
      })
    },
  })
  void ended.then((run) => first.reject(new Error(`ended with ${run.code}: ${run.error}`)))
  const url = await first.promise
  return { url, home, child: child as ChildProcess, ended }
}

async function stop({ child, ended }: Served): Promise<Run> {
  child.kill("SIGINT")
  return ended
}

async function enter(url: string): Promise<{ origin: string; cookie: string }> {
  const answer = await fetch(url, { redirect: "manual" })
  expect(answer.status).toBe(303)
  return { origin: new URL(url).origin, cookie: answer.headers.getSetCookie()[0]?.split(";")[0] ?? "" }
}

it("prints the link first, answers calls, holds its data folder, and ends well on Ctrl+C", async () => {
  const served = await serve(["--port", "0"])
  expect(served.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32}$/)
  const { origin, cookie } = await enter(served.url)
  expect(await (await fetch(origin, { headers: { cookie } })).text()).toBe("<p>page</p>")
  const socket = new WebSocket(`${origin.replace("http", "ws")}/rpc`, { headers: { cookie, origin } })
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject))
  const client = connect(app, socketPort(socket), { code: "network", message: "lost" })
  expect(await client["app.snapshot"](undefined)).toMatchObject({ system: { face: "served", dataFolder: served.home }, models: [] })
  expect(statSync(join(served.home, "session-secret")).mode & 0o777).toBe(0o600)

  const second = await nibble(["serve", "--port", "0", "--json"], { env: { NIBBLE_HOME: served.home, NIBBLE_PAGE: page } })
  expect(second.code).toBe(1)
  expect(second.json()).toMatchObject({
    error: { code: "busy", message: expect.stringContaining(`process ${served.child.pid}`), hint: expect.stringContaining("NIBBLE_HOME") },
  })
  // The command line works beside it.
  expect((await nibble(["models", "list", "--json"], { env: { NIBBLE_HOME: served.home } })).json()).toEqual({ models: [] })

  const { code, error } = await stop(served)
  expect([code, error]).toEqual([0, ""])
})

it("knows the browser again after a restart, but not the used link", async () => {
  const first = await serve(["--port", "0"])
  const { cookie } = await enter(first.url)
  await stop(first)
  const port = new URL(first.url).port
  const second = await serve(["--port", port], first.home)
  try {
    expect((await fetch(new URL(second.url).origin, { headers: { cookie } })).status).toBe(200)
    expect((await fetch(first.url, { redirect: "manual" })).status).toBe(403)
    expect(second.url).not.toBe(first.url)
  } finally {
    await stop(second)
  }
})

it("names a port that is taken, and leaves the data folder free again", async () => {
  const blocker = createServer().listen(0, "127.0.0.1")
  await new Promise((resolve) => blocker.once("listening", resolve))
  const { port } = blocker.address() as AddressInfo
  const home = mkdtempSync(join(scratch, "served-"))
  const run = await nibble(["serve", "--port", String(port)], { env: { NIBBLE_HOME: home, NIBBLE_PAGE: page } })
  blocker.close()
  expect([run.code, run.out]).toEqual([1, ""])
  expect(run.error).toBe(
    `Port ${port} of 127.0.0.1 is in use by another program.\nChoose another with --port, or --port 0 for any free one.\n`,
  )
  await stop(await serve(["--port", "0"], home))
})

it("takes another port by itself when none was asked for", async () => {
  const [one, two] = [await serve([]), await serve(["--json"])]
  const { url, port, host } = JSON.parse(two.url) as { url: string; port: number; host: string }
  expect([new URL(url).port, new URL(url).hostname]).toEqual([String(port), host])
  expect(new URL(one.url).port).not.toBe(String(port))
  await Promise.all([stop(one), stop(two)])
})

it("warns before it serves others", async () => {
  const served = await serve(["--port", "0", "--host", "0.0.0.0"])
  const { error } = await stop(served)
  expect(error).toMatch(/^WARNING: on 0\.0\.0\.0 other computers can reach this page\./)
})

it("says that the page is not built", async () => {
  const run = await nibble(["serve", "--json"], { env: { NIBBLE_PAGE: join(scratch, "no-page") } })
  expect([run.code, run.json()]).toMatchObject([1, { error: { code: "not_found", hint: "Build it with: npm run build" } }])
})
