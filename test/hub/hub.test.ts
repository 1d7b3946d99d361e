import { afterEach, beforeEach, expect, test } from "vitest"
import { startHub, type TestHub } from "./hub.ts"
import { gitHash, sha256 } from "./repository.ts"

const weights = Buffer.from("0123456789".repeat(100))
let hub: TestHub

beforeEach(async () => {
  const config = JSON.stringify({ architectures: ["LlamaForCausalLM"], model_type: "llama" })
  hub = await startHub({
    account: { token: "secret", name: "ada" },
    repositories: [
      { name: "a/open", files: { "config.json": config, "model.safetensors": weights }, downloads: 5 },
      { name: "a/gated", files: { "config.json": config }, access: "gated", downloads: 7 },
      { name: "a/private", files: { "config.json": config }, access: "private" },
    ],
  })
})
afterEach(() => hub.close())

const get = (path: string, headers: Record<string, string> = {}) => fetch(`${hub.endpoint}${path}`, { headers })
const right = { authorization: "Bearer secret" }

test("lists by downloads, in pages, without what is private", async () => {
  const first = await get("/api/models?sort=downloads&limit=1")
  expect(await first.json()).toMatchObject([{ id: "a/gated", gated: "manual" }])
  const next = first.headers.get("link")?.match(/<(.+)>; rel="next"/)?.[1] ?? ""
  const second = await fetch(next)
  expect(await second.json()).toMatchObject([{ id: "a/open", gated: false, config: { model_type: "llama" } }])
  expect(second.headers.get("link")).toBeNull()
  expect(await (await get("/api/models?search=private", right)).json()).toHaveLength(1)
})

test("gives small files itself and large ones by a redirect to another origin", async () => {
  const tree = (await (await get("/api/models/a/open/tree/main")).json()) as { path: string; oid: string; lfs?: { oid: string } }[]
  expect(tree.find(({ path }) => path === "model.safetensors")?.lfs?.oid).toBe(sha256(weights))
  const config = await get("/a/open/resolve/main/config.json")
  expect(config.headers.get("etag")).toBe(`"${gitHash(Buffer.from(await config.arrayBuffer()))}"`)
  const redirect = await fetch(`${hub.endpoint}/a/open/resolve/main/model.safetensors`, { redirect: "manual" })
  expect(redirect.status).toBe(302)
  expect(redirect.headers.get("location")).toContain(hub.storage)
  const part = await get("/a/open/resolve/main/model.safetensors", { range: "bytes=10-14" })
  expect([part.status, await part.text(), part.headers.get("content-range")]).toEqual([206, "01234", "bytes 10-14/1000"])
})

test("refuses as the public hub does", async () => {
  const refused = async (path: string, headers = {}) => {
    const { status, headers: answered } = await get(path, headers)
    return [status, answered.get("x-error-code")]
  }
  expect(await refused("/a/gated/resolve/main/config.json")).toEqual([401, "GatedRepo"])
  expect(await refused("/a/gated/resolve/main/config.json", { authorization: "Bearer other" })).toEqual([403, "GatedRepo"])
  expect(await refused("/api/models/a/private/revision/main")).toEqual([401, "RepoNotFound"])
  expect(await refused("/api/models/a/none/revision/main", right)).toEqual([404, "RepoNotFound"])
  expect((await get("/a/gated/resolve/main/config.json", right)).status).toBe(200)
  expect((await get("/api/whoami-v2")).status).toBe(401)
  expect(await (await get("/api/whoami-v2", right)).json()).toMatchObject({ name: "ada" })
})

test("faults act as often as they are told, on the bytes of large files too", async () => {
  const fetched = async () => Buffer.from(await (await get("/a/open/resolve/main/model.safetensors")).arrayBuffer())
  hub.faults.add({ match: "model.safetensors", kind: "corrupt", at: 3, times: 1 })
  expect((await fetched()).equals(weights)).toBe(false)
  expect((await fetched()).equals(weights)).toBe(true)
  hub.faults.add({ match: "model.safetensors", kind: "reset", at: 500, times: 1 })
  await expect(fetched()).rejects.toThrow()
  hub.faults.add({ match: "config.json", kind: "status", status: 429, headers: { "retry-after": "1" } })
  expect((await get("/a/open/resolve/main/config.json")).status).toBe(429)
  expect((await fetched()).length).toBe(1000)
})
