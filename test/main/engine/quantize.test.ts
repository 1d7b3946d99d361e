// Quantizing through a real host: what it writes is what transformers with bitsandbytes writes, and a failure leaves nothing.
import { spawn } from "node:child_process"
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { startEngine } from "../../../main/engine/client.ts"
import { forkHost, hostOfChild, hostPath } from "../../../main/engine/fork.ts"
import { closedFolder, listing, madeModel, models, temporaryFolder, testEngine } from "./fixtures.ts"

const folder = temporaryFolder()
const engine = testEngine()
const formats = ["nf4", "nf4-dq", "fp4", "int8"] as const
let count = 0
const place = () => join(folder, `out-${count++}`)

function run(options: Partial<Parameters<(typeof engine.client)["quantize.run"]>[0]>, signal?: AbortSignal) {
  const progress: { parametersDone: number; parametersTotal: number; bytesWritten: number }[] = []
  const request = { path: join(models, "llama"), out: place(), format: "nf4" as const, ...options }
  const report = engine.client["quantize.run"](request, (event) => void progress.push(event), signal)
  return { out: request.out, report, progress }
}

/** Bytes that differ; their number when the lengths do. */
function differences(a: Buffer, b: Buffer): number {
  if (a.length !== b.length) return Math.max(a.length, b.length)
  return a.reduce((sum, byte, i) => sum + (byte === b[i] ? 0 : 1), 0)
}

test.each(formats)("llama in %s is the folder that transformers and bitsandbytes write", async (format) => {
  const { out, report, progress } = run({ format, computeDtype: "bfloat16" })
  const { bytes_out: bytesOut, ...told } = await report
  expect(told).toMatchObject({ out, format, tensors_quantized: 14, tensors_kept: 7, bytes_in: 230016 })
  expect(told.parameters_per_second).toBeGreaterThan(0)
  expect(told.peak_rss_bytes).toBeGreaterThan(1 << 20)
  const read = (where: string, name: string) => readFileSync(join(where, name))
  const theirs = join(models, `llama-${format}`)
  for (const name of ["config.json", "generation_config.json"]) expect(read(out, name).toString()).toBe(read(theirs, name).toString())
  const weights = read(out, "model.safetensors")
  expect(weights.length).toBe(bytesOut)
  expect(differences(weights, read(theirs, "model.safetensors"))).toBe(0)
  expect(progress.at(-1)).toMatchObject({ parametersDone: 115008, parametersTotal: 115008 })
  expect(listing(out)).toEqual([
    "README.md",
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
  ])
  expect(read(out, "tokenizer.json").equals(read(join(models, "llama"), "tokenizer.json"))).toBe(true)
})

test("the card says what it is, how it was made and what there is to know", async () => {
  const { out, report } = run({ note: "The source was\nalready 4-bit.", skipModules: ["lm_head", "o_proj"] })
  expect(await report).toMatchObject({ tensors_quantized: 12 })
  const card = readFileSync(join(out, "README.md"), "utf8")
  expect(card).toMatch(/^---\n.*library_name: transformers\n.*---\n\n# llama, nf4\n/s)
  expect(card).toContain("The source was already 4-bit.")
  expect(card).toContain("`o_proj`")
  expect(JSON.parse(readFileSync(join(out, "config.json"), "utf8")).quantization_config.llm_int8_skip_modules).toEqual([
    "lm_head",
    "o_proj",
  ])
})

test("a list replaces the default: the head is quantized too, and the folder still loads", async () => {
  const { out, report } = run({ skipModules: ["down_proj"], format: "nf4-dq", blockSize: 128 })
  expect(await report).toMatchObject({ tensors_quantized: 13, tensors_kept: 8 })
  const loaded = await engine.client["model.load"]({ path: out, compute: "fp32" }, () => {})
  expect(loaded.plan.total).toBeGreaterThan(0)
  await engine.client["model.unload"](undefined)
})

test("a model of several files, tied, and one with biases", async () => {
  for (const [name, kept] of [
    ["llama-tied-sharded", 6],
    ["llama-bias", 20],
    ["mistral", 6],
    ["qwen2", 12],
  ] as const) {
    const { out, report } = run({ path: join(models, name), format: "nf4-dq" })
    expect(await report, name).toMatchObject({ tensors_kept: kept })
    const { plan } = await engine.client["model.load"]({ path: out }, () => {})
    expect(plan.mapped).toBeGreaterThan(0)
  }
  await engine.client["model.unload"](undefined)
})

test("GGUF files, whose tokenizer and configuration are written out", async () => {
  const { out, report } = run({ path: join(models, "gguf/llama-bpe-bf16.gguf"), format: "nf4-dq" })
  await report
  expect(listing(out)).toEqual(expect.arrayContaining(["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]))
  const loaded = await engine.client["model.load"]({ path: out }, () => {})
  expect(loaded.format).toBe("nf4-dq")
  await engine.client["model.unload"](undefined)
})

test("what is quantized already is refused by name", async () => {
  const { out, report } = run({ path: join(models, "llama-nf4") })
  await expect(report).rejects.toMatchObject({
    code: "bad_input",
    message: expect.stringMatching(/llama-nf4 is already quantized.*nf4.*second loss/),
  })
  expect(existsSync(out)).toBe(false)
})

test("impossible requests", async () => {
  await expect(run({ path: join(folder, "nothing") }).report).rejects.toMatchObject({ code: "not_found" })
  await expect(run({ skipModules: [""] }).report).rejects.toMatchObject({
    code: "bad_input",
    message: expect.stringContaining("No linear layer"),
  })
  await expect(run({ blockSize: 48 as 64 }).report).rejects.toMatchObject({ code: "bad_input" })
})

test("hostile places for the folder", async () => {
  const before = listing(folder)
  writeFileSync(join(folder, "file"), "mine")
  mkdirSync(join(folder, "full"))
  writeFileSync(join(folder, "full/file"), "mine")
  const outs = [
    join(folder, "file"),
    join(folder, "file/below"),
    join(folder, "full"),
    join(folder, "a\0b"),
    join(folder, "x".repeat(300)),
    "/",
    join(models, "llama"),
  ]
  for (const out of outs)
    await expect(run({ out }).report, out).rejects.toMatchObject({ code: expect.stringMatching(/bad_input|not_found/) })
  await expect(run({ out: join(closedFolder(folder), "model") }).report).rejects.toMatchObject({
    code: "no_permission",
    hint: expect.any(String),
  })
  expect(readFileSync(join(folder, "full/file"), "utf8")).toBe("mine")
  for (const name of ["file", "full", "closed"]) rmSync(join(folder, name), { recursive: true, force: true })
  expect(listing(folder)).toEqual(before)
})

test("damaged weights are named, and nothing is left", async () => {
  const source = join(folder, "damaged")
  cpSync(join(models, "llama"), source, { recursive: true })
  const weights = readFileSync(join(source, "model.safetensors"))
  weights.writeUInt16LE(0x7fc0, 2160 + 82048 + 64)
  writeFileSync(join(source, "model.safetensors"), weights)
  const before = listing(folder)
  await expect(run({ path: source }).report).rejects.toMatchObject({
    code: "bad_file",
    message: expect.stringContaining("model.layers.0.mlp.down_proj.weight"),
  })
  expect(listing(folder)).toEqual(before)
})

/** A model that takes long enough to be stopped. */
function largeModel(): string {
  const path = madeModel(folder, {
    hidden_size: 1024,
    intermediate_size: 6144,
    num_attention_heads: 16,
    num_key_value_heads: 16,
    head_dim: 64,
  })
  const file = join(path, "model.safetensors")
  const weights = readFileSync(file)
  const start = 8 + Number(weights.readBigUInt64LE())
  for (let i = start; i < weights.length; i += 2) weights.writeUInt16LE(0x3c00 + (i % 509), i)
  writeFileSync(file, weights)
  return path
}

test("cancelled at each stage, nothing is left", async () => {
  const path = largeModel()
  const before = listing(folder)
  const stages = {
    "at once": () => false,
    "with the first tensor": () => true,
    "after the last": (done: number, total: number) => done === total,
  }
  for (const [stage, isReached] of Object.entries(stages)) {
    const abort = new AbortController()
    const out = place()
    const onProgress = (event: { parametersDone: number; parametersTotal: number }) => {
      if (isReached(event.parametersDone, event.parametersTotal)) abort.abort()
    }
    if (stage === "at once") setTimeout(() => abort.abort(), 1)
    const quantizing = engine.client["quantize.run"]({ path, out, format: "nf4-dq", threads: 1 }, onProgress, abort.signal)
    const ended = await quantizing.then(
      () => "complete",
      (error) => error.code,
    )
    // The last report may come too late to stop it: then it is complete, never half.
    if (stage !== "after the last") expect(ended, stage).toBe("cancelled")
    expect(existsSync(out)).toBe(ended === "complete")
    rmSync(out, { recursive: true, force: true })
    expect(listing(folder), stage).toEqual(before)
  }
})

test("killed in the middle, the next run clears what it left", async () => {
  const path = largeModel()
  const out = place()
  const before = listing(folder)
  const quantizing = engine.client["quantize.run"](
    { path, out, format: "nf4-dq" },
    () => void process.kill(engine.pid as number, "SIGKILL"),
  )
  await expect(quantizing).rejects.toMatchObject({ code: "engine_lost" })
  expect(listing(folder)).not.toEqual(before)
  await engine.client["quantize.run"]({ path, out, format: "nf4" }, () => {})
  rmSync(out, { recursive: true })
  expect(listing(folder)).toEqual(before)
})

test("closed in the middle, the host removes what it has half written", async () => {
  const path = largeModel()
  const before = listing(folder)
  const closing = startEngine({ spawn: forkHost })
  let closed: Promise<void> | undefined
  const quantizing = closing.client["quantize.run"]({ path, out: place(), format: "nf4-dq" }, () => {
    closed ??= closing.close()
  })
  await expect(quantizing).rejects.toMatchObject({ code: "engine_lost", message: "The engine was closed." })
  await closed
  expect(listing(folder)).toEqual(before)
})

/** A host that may write no file larger than this: a full disk that can be had everywhere. */
function limitedHost(kibibytes: number) {
  // ulimit counts blocks of 512 bytes in some shells and of 1024 in others; both are far from the sizes that matter here.
  const command = `ulimit -f ${kibibytes}; exec "$0" "$1"`
  return hostOfChild(
    spawn("sh", ["-c", command, process.execPath, hostPath()], { serialization: "advanced", stdio: ["ignore", "inherit", "pipe", "ipc"] }),
  )
}

test("a disk that becomes full is told with the file, and nothing is left", async () => {
  const limited = testEngine(() => limitedHost(64))
  const before = listing(folder)
  const quantizing = limited.client["quantize.run"]({ path: join(models, "llama"), out: place(), format: "nf4" }, () => {})
  await expect(quantizing).rejects.toMatchObject({ code: "no_space", message: expect.stringContaining("model.safetensors") })
  expect(listing(folder)).toEqual(before)
  // It lives on.
  expect((await limited.client["engine.info"](undefined)).version).toBeTruthy()
})
