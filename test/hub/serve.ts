// The test hub by hand: `node test/hub/serve.ts [--port N] [--slow BYTES_PER_SECOND] [folder …]` serves the fixtures and the folders given, each as
// "local/<its name>". Start Nibble with HF_ENDPOINT set to the address that it prints.
import { readdirSync } from "node:fs"
import { basename, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { startHub } from "./hub.ts"
import type { RepositoryWish } from "./repository.ts"

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { port: { type: "string", default: "8765" }, slow: { type: "string", default: "0" } },
})
const fixtures = fileURLToPath(new URL("../fixtures/", import.meta.url))
const architectures: RepositoryWish[] = readdirSync(`${fixtures}architectures`).map((name, i) => ({
  name: `tiny/${name}`,
  folder: `${fixtures}architectures/${name}`,
  downloads: 1000 - i,
}))
const hub = await startHub({
  port: Number(values.port),
  bytesPerSecond: Number(values.slow),
  account: { token: "hf_test", name: "ada" },
  repositories: [
    ...architectures,
    { name: "gated/llama", folder: `${fixtures}models/llama`, access: "gated", license: "llama3.1" },
    { name: "private/llama", folder: `${fixtures}models/llama`, access: "private" },
    {
      name: "strange/jamba",
      files: { "config.json": '{"architectures": ["JambaForCausalLM"], "model_type": "jamba"}', "model.safetensors": "" },
    },
    {
      name: "strange/pickled",
      files: { "config.json": '{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}', "pytorch_model.bin": "x" },
    },
    ...positionals.map((folder) => ({ name: `local/${basename(resolve(folder))}`, folder: resolve(folder), downloads: 10_000 })),
  ],
})
process.stdout.write(`HF_ENDPOINT=${hub.endpoint}   (token of the account: hf_test)\n`)
