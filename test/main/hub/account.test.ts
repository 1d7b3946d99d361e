import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { openAccount } from "../../../main/hub/account.ts"
import { createNetwork, type Network } from "../../../main/hub/network.ts"
import { createSecretStore } from "../../../main/storage/secret-store.ts"
import { startHub, type TestHub } from "../../hub/hub.ts"
import { scratchFolder } from "../scratch.ts"

const signal = new AbortController().signal
let hub: TestHub
let network: Network

beforeEach(async () => {
  hub = await startHub({ repositories: [], account: { token: "hf_right", name: "ada" } })
  network = createNetwork({ env: {} })
})
afterEach(async () => {
  await network.close()
  await hub.close()
})

function open(folder: string, env: Record<string, string> = {}, warnings: string[] = []) {
  return openAccount({ store: createSecretStore(folder), env, network, warn: (sentence) => warnings.push(sentence) })
}

test("a token that the hub knows is kept, in a file that only this user can read, and found again", async () => {
  const folder = scratchFolder()
  const account = await open(folder)
  expect(account.shown(hub.endpoint)).toEqual({ endpoint: hub.endpoint, token: null, name: null })
  await account.set(hub.endpoint, "hf_right", signal)
  expect(account.shown(hub.endpoint)).toEqual({ endpoint: hub.endpoint, token: "file", name: "ada" })
  if (process.platform !== "win32") expect(statSync(join(folder, "hub-token.json")).mode & 0o777).toBe(0o600)
  const again = await open(folder)
  expect(again.at(hub.endpoint).token).toBe("hf_right")
  await again.set(hub.endpoint, null, signal)
  expect(again.at(hub.endpoint).token).toBeNull()
  expect(readdirSync(folder)).toEqual([])
})

test("a token that the hub refuses is not kept, and the error does not name it", async () => {
  const folder = scratchFolder()
  const account = await open(folder)
  const refused = await account.set(hub.endpoint, "hf_wrong", signal).catch((thrown) => thrown)
  expect(refused).toMatchObject({ code: "no_permission" })
  expect(`${refused.message} ${refused.hint}`).not.toContain("hf_wrong")
  await expect(account.set(hub.endpoint, "two words", signal)).rejects.toMatchObject({ code: "bad_input" })
  expect(readdirSync(folder)).toEqual([])
})

test("it goes to the origin that it was entered for, and to no mirror", async () => {
  const account = await open(scratchFolder())
  await account.set(hub.endpoint, "hf_right", signal)
  expect(account.at(`${hub.endpoint}/prefix`).token).toBe("hf_right")
  for (const mirror of ["https://mirror.example", hub.endpoint.replace("127.0.0.1", "localhost"), hub.storage])
    expect(account.at(mirror).token).toBeNull()
})

test("that of the environment wins at the environment's hub only", async () => {
  const env = { HF_TOKEN: " hf_environment ", HF_ENDPOINT: hub.endpoint }
  const account = await open(scratchFolder(), env)
  expect(account.shown(hub.endpoint)).toMatchObject({ token: "environment" })
  expect(account.at(hub.endpoint).token).toBe("hf_environment")
  expect(account.at("https://mirror.example").token).toBeNull()
  expect((await open(scratchFolder(), { HF_TOKEN: "t" })).at("https://huggingface.co").token).toBe("t")
})

test("a file that others can read is not used, and one that is damaged is none", async () => {
  if (process.platform === "win32") return
  const folder = scratchFolder()
  await (await open(folder)).set(hub.endpoint, "hf_right", signal)
  const path = join(folder, "hub-token.json")
  chmodSync(path, 0o644)
  const warnings: string[] = []
  expect((await open(folder, {}, warnings)).at(hub.endpoint).token).toBeNull()
  expect(warnings.join()).toMatch(/can be read by others/)
  expect(warnings.join()).not.toContain("hf_right")
  writeFileSync(path, "{}")
  chmodSync(path, 0o600)
  expect((await open(folder)).at(hub.endpoint).token).toBeNull()
})

test("in a keychain the file holds only what the keychain made of it", async () => {
  const folder = scratchFolder()
  const keychain = {
    protect: (secret: string) => Buffer.from(secret).map((byte) => byte ^ 0x5a),
    reveal: (bytes: Buffer) => Buffer.from(bytes.map((byte) => byte ^ 0x5a)).toString(),
  }
  const store = createSecretStore(folder, { ...keychain, protect: (secret) => Buffer.from(keychain.protect(secret)) })
  const account = await openAccount({ store, env: {}, network, warn: () => {} })
  await account.set(hub.endpoint, "hf_right", signal)
  expect(account.shown(hub.endpoint)).toMatchObject({ token: "keychain" })
  expect(readFileSync(join(folder, "hub-token.encrypted")).includes("hf_right")).toBe(false)
  expect((await openAccount({ store, env: {}, network, warn: () => {} })).at(hub.endpoint).token).toBe("hf_right")
})
