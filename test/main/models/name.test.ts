import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { folderName, readLicense } from "../../../main/models/name.ts"
import { temporaryFolder } from "./made-files.ts"

const folder = temporaryFolder()

test("a name from the configuration, the folder or the hub's cache", () => {
  expect(folderName({ _name_or_path: "org/Model-1B" }, "/x/y")).toBe("Model-1B")
  expect(folderName({ _name_or_path: "C:\\models\\Tiny\\" }, "/x/y")).toBe("Tiny")
  expect(folderName({ _name_or_path: "./" }, "/x/y")).toBe("y")
  expect(folderName({ _name_or_path: "" }, "/x/y")).toBe("y")
  expect(folderName({ _name_or_path: 7 }, "/x/y")).toBe("y")
  expect(folderName({}, "/hub/models--org--Model-1B/snapshots/0123abcd")).toBe("Model-1B")
  expect(folderName({ _name_or_path: "n".repeat(10_000) }, "/x/y")).toHaveLength(200)
})

const cards: [text: string, license: string | null][] = [
  ["---\nlicense: apache-2.0\nlanguage: en\n---\n# Model", "apache-2.0"],
  ["---\r\nlanguage: en\r\nlicense: 'mit'\r\n---\r\n", "mit"],
  ["---\nlicense: other\nlicense_name: llama3.1\n---\n", "llama3.1"],
  ["---\nlicense: other\n---\n", "other"],
  ["---\nlicense:\n- cc-by-4.0\n- mit\n---\n", "cc-by-4.0"],
  ["---\nlicense: [mit]\n---\n", "mit"],
  ["---\nlanguage: en\n---\nlicense: mit\n", null],
  ["# Model\n---\nlicense: mit\n---\n", null],
  ["---\nlicense:\n---\n", null],
  ["", null],
]
for (const [i, [text, license]] of cards.entries()) {
  test(`license of ${JSON.stringify(text)}`, async () => {
    const path = join(folder, String(i))
    mkdirSync(path)
    writeFileSync(join(path, "README.md"), text)
    expect(await readLicense(path)).toBe(license)
  })
}

test("a model card that is none is no error", async () => {
  const path = join(folder, "odd")
  mkdirSync(join(path, "README.md"), { recursive: true })
  expect(await readLicense(path)).toBeNull()
  expect(await readLicense(join(folder, "none"))).toBeNull()
})
