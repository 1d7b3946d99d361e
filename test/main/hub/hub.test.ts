import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { manifestName } from "../../../main/hub/download-manifest.ts"
import { downloadFiles, hubAddress, listRepository, modelFiles } from "../../../main/hub/hub.ts"
import { scratchFolder } from "../scratch.ts"
import { commit, fakeHub } from "./fake-hub.ts"
import { loopback } from "./loopback.ts"

const signal = new AbortController().signal
const files = {
  "config.json": Buffer.from("{}"),
  "model.safetensors": Buffer.alloc(5000, "weights"),
  "tokenizer.json": Buffer.from('{"model":{}}'),
  "pytorch_model.bin": Buffer.from("not wanted"),
}

it("is where the settings, the environment or nobody says", () => {
  expect(hubAddress("", {})).toBe("https://huggingface.co")
  expect(hubAddress("", { HF_ENDPOINT: "https://mirror.example/hf/" })).toBe("https://mirror.example/hf")
  expect(hubAddress("http://127.0.0.1:1", { HF_ENDPOINT: "https://mirror.example" })).toBe("http://127.0.0.1:1")
  expect(() => hubAddress("mirror.example", {})).toThrow(/no web address/)
  expect(() => hubAddress("file:///etc", {})).toThrow(/no web address/)
})

it("lists a repository with the hashes, and brings what a model needs", async () => {
  const server = await fakeHub("org/tiny", files)
  const hub = { endpoint: server.origin, token: "secret" }
  const repository = await listRepository(hub, "org/tiny", "main", signal)
  expect(repository.revision).toBe(commit)
  expect(repository.files).toHaveLength(4)
  const folder = scratchFolder()
  const seen: number[] = []
  const needed = modelFiles(repository)
  await downloadFiles(hub, repository, { files: needed, folder, signal, onProgress: ({ bytesDone }) => seen.push(bytesDone) })
  expect(readdirSync(folder).sort()).toEqual([manifestName, "config.json", "model.safetensors", "tokenizer.json"])
  expect(readFileSync(join(folder, "model.safetensors"))).toEqual(files["model.safetensors"])
  expect(seen).toEqual(seen.toSorted((a, b) => a - b))
  expect(seen.at(-1)).toBe(5014)
  expect(server.requests.every((request) => request.authorization === "Bearer secret")).toBe(true)
})

it("does not take small files that were changed on the way either", async () => {
  const server = await fakeHub("org/tiny", files)
  const hub = { endpoint: server.origin, token: null }
  const repository = await listRepository(hub, "org/tiny", "main", signal)
  server.files["config.json"] = Buffer.from("[]")
  const options = { files: modelFiles(repository), folder: scratchFolder(), signal, onProgress: () => {} }
  await expect(downloadFiles(hub, repository, options)).rejects.toMatchObject({
    code: "bad_file",
    message: expect.stringContaining("config.json"),
  })
})

it("takes no names that lead elsewhere", async () => {
  const entries = ["../evil.safetensors", "a/b.safetensors", "/etc/passwd", "a\\b.safetensors", ".hidden", "ok.safetensors"].map(
    (path) => ({
      type: "file",
      path,
      size: 1,
      oid: "a".repeat(40),
    }),
  )
  const server = await loopback((request, response) =>
    response.end(JSON.stringify(request.url?.includes("/revision/") ? { sha: commit } : entries)),
  )
  const repository = await listRepository({ endpoint: server.origin, token: null }, "org/tiny", "main", signal)
  expect(repository.files.map((file) => file.name)).toEqual(["ok.safetensors"])
})

it("refuses repositories that are no readable model, by name", () => {
  const file = (name: string) => ({ name, bytes: 1, digest: { algorithm: "sha256" as const, hex: "" } })
  const repository = (...names: string[]) => ({ name: "org/tiny", revision: commit, files: names.map(file) })
  expect(() => modelFiles(repository("model.safetensors"))).toThrow(/org\/tiny has no config\.json/)
  expect(() => modelFiles(repository("config.json", "pytorch_model.bin"))).toThrow(/no safetensors weights/)
})

it("says what the hub said", async () => {
  const answer = async (status: number, body: string) => {
    const server = await loopback((_, response) => void response.writeHead(status).end(body))
    return listRepository({ endpoint: server.origin, token: null }, "org/tiny", "main", signal)
  }
  await expect(answer(401, "")).rejects.toMatchObject({ code: "no_permission", hint: expect.stringContaining("HF_TOKEN") })
  await expect(answer(404, "")).rejects.toMatchObject({ code: "not_found", message: expect.stringContaining("org/tiny") })
  await expect(answer(500, "")).rejects.toMatchObject({ code: "network" })
  await expect(answer(200, "<html>")).rejects.toMatchObject({ code: "network", message: expect.stringContaining("not answer in JSON") })
  await expect(answer(200, '{"sha": "../../etc"}')).rejects.toMatchObject({ code: "network" })
  await expect(answer(200, "x".repeat(9 << 20))).rejects.toMatchObject({ code: "network", message: expect.stringContaining("longer than") })
  for (const name of ["tiny", "../tiny", "org/../tiny", "org/tiny/extra", "org/ti ny"])
    await expect(listRepository({ endpoint: "http://127.0.0.1:1", token: null }, name, "main", signal)).rejects.toMatchObject({
      code: "bad_input",
    })
})
