// The structure check finds each kind of violation, and nothing in a clean tree.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { checkStructure } from "../../scripts/check_structure.mjs"
import { foreignWeakSymbols } from "../../scripts/structure/objects.mjs"

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "nibble-structure-"))
})
afterEach(() => rmSync(root, { recursive: true }))

function write(files: Record<string, string>) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

const clean = {
  "native/core/error.h": "#include <string>\n",
  "native/formats/nf4.h": '#include "core/error.h"\n',
  "native/ops/simd/avx2.h": "#include <immintrin.h>\n",
  "native/ops/cpu/matmul.inl.h": '#include "formats/nf4.h"\n',
  "native/ops/cpu/isa_avx2.cc": '#include "ops/cpu/matmul.inl.h"\n#include "ops/simd/avx2.h"\n',
  "native/binding/addon.cc": '#include <napi.h>\n#include "core/error.h"\n',
  "test/native/ops/matmul_test.cc": '#include "formats/nf4.h"\n',
  "shared/rpc.ts": 'import { z } from "zod"\nexport const call = z.string()\n',
  "main/app.ts":
    'import { readFileSync } from "node:fs"\nimport { call } from "../shared/rpc.ts"\n// electron and engine.node in a comment are no use of them\n',
  "main/engine/addon.ts": 'const file = "../engine.node"\n',
  "main/electron/window.ts": 'import { app } from "electron"\nimport { start } from "../app.ts"\n',
  "renderer/lib/client.ts": 'import { call } from "../../shared/rpc.ts"\n',
  "renderer/features/chat/state.ts": 'import { client } from "../../lib/client.ts"\n',
  "renderer/app/shell.tsx": 'import { useState } from "react"\nimport { chat } from "../features/chat/state.ts"\n',
  "test/renderer/features/chat/state.test.ts": 'import { chat } from "../../../../renderer/features/chat/state.ts"\n',
}

it("finds nothing in a clean tree", () => {
  write(clean)
  expect(checkStructure(root).violations).toEqual([])
})

const lines = (n: number) => "\n".repeat(n)

// Each case: what is added to the clean tree, and the words that the one violation must have.
const cases: Record<string, [files: Record<string, string>, message: RegExp]> = {
  "a lower layer that includes a higher one": [
    { "native/core/trace.h": '#include "formats/nf4.h"\n' },
    /trace\.h: native\/core must not use native\/formats/,
  ],
  "ops that know the model": [
    { "native/model/decoder.h": "", "native/ops/ops.h": '#include "model/decoder.h"\n' },
    /native\/ops must not use native\/model/,
  ],
  "peers that know each other": [
    { "native/plan/arena.h": "", "native/quant/walk.h": '#include "plan/arena.h"\n' },
    /native\/quant must not use native\/plan/,
  ],
  "N-API outside the binding": [{ "native/model/kv_cache.h": "#include <napi.h>\n" }, /napi\.h belongs only in native\/binding/],
  "intrinsics outside simd": [{ "native/core/cpu.h": "#include <immintrin.h>\n" }, /immintrin\.h belongs only in native\/ops\/simd/],
  "a kernel included outside isa files": [
    { "native/ops/cpu/dispatch.cc": '#include "ops/cpu/matmul.inl.h"\n' },
    /dispatch\.cc: ops\/cpu\/matmul\.inl\.h belongs only in native\/ops\/cpu\/isa_/,
  ],
  "a cycle of headers": [
    { "native/core/a.h": '#include "core/b.h"\n', "native/core/b.h": '#include "core/a.h"\n' },
    /cycle: native\/core\/a\.h -> native\/core\/b\.h -> native\/core\/a\.h/,
  ],
  "a cycle of modules, types included": [
    { "main/a.ts": 'import type { B } from "./b.ts"\n', "main/b.ts": 'export { a } from "./a.ts"\n' },
    /cycle: main\/a\.ts -> main\/b\.ts -> main\/a\.ts/,
  ],
  "electron outside its folder": [
    { "main/window.ts": 'import { app } from "electron/main"\n' },
    /electron\/main belongs only in main\/electron/,
  ],
  "a service that knows a face": [{ "main/start.ts": 'await import("./electron/window.ts")\n' }, /main must not use main\/electron/],
  "engine.node outside addon.ts": [
    { "main/engine/host.ts": 'require("engine.node")\n' },
    /host\.ts: engine\.node is named outside main\/engine\/addon\.ts/,
  ],
  "react outside the page": [{ "main/view.ts": 'import { createElement } from "react"\n' }, /react belongs only in renderer/],
  "Node in the page": [{ "renderer/lib/disk.ts": 'import { readFileSync } from "node:fs"\n' }, /node:fs has no place in renderer/],
  "a package other than zod in shared": [{ "shared/mime.ts": 'import mime from "mime"\n' }, /mime has no place in shared/],
  "the page that knows main": [{ "renderer/lib/app.ts": 'import { app } from "../../main/app.ts"\n' }, /renderer\/lib must not use main/],
  "a feature that knows another": [
    { "renderer/features/models/page.tsx": 'import { chat } from "../chat/state.ts"\n' },
    /renderer\/features\/models must not use renderer\/features\/chat/,
  ],
  "a feature that knows the shell": [
    { "renderer/features/models/page.tsx": 'import { Shell } from "../../app/shell.tsx"\n' },
    /renderer\/features\/models must not use renderer\/app/,
  ],
  "the program that imports a test": [
    { "main/probe.ts": 'import "../test/fixture.ts"\n', "test/fixture.ts": "" },
    /main must not use test/,
  ],
  "a barrel file": [{ "main/models/index.ts": "" }, /no barrel files/],
  "a drawer for everything": [{ "main/utils/text.ts": "" }, /no folder or file for everything/],
  "a name in the wrong case": [{ "main/trainConfig.ts": "" }, /trainConfig\.ts: the name is not in kebab-case/],
  "a C++ name in the wrong case": [{ "native/model/KvCache.h": "" }, /KvCache\.h: the name is not in snake_case/],
  "a TypeScript file over the limit": [{ "main/long.ts": lines(401) }, /long\.ts: 401 lines \(limit 400\)/],
  "a C++ file over the limit": [{ "native/core/long.cc": lines(601) }, /long\.cc: 601 lines \(limit 600\)/],
  "a huge file": [{ "test/blob.bin": "x".repeat((1 << 20) + 1) }, /blob\.bin: 1048577 bytes/],
  "a kernel without a test": [{ "native/ops/cpu/rope.inl.h": "" }, /rope\.inl\.h: has no test test\/native\/ops\/rope_test\.cc/],
  "a service without a test": [{ "main/services/jobs.ts": "" }, /jobs\.ts: has no test test\/main\/services\/jobs\.test\.ts/],
  "a file in no known folder": [{ "native/odd/x.cc": '#include "core/error.h"\n' }, /x\.cc: lies in no folder of the architecture/],
}

describe("finds", () => {
  for (const [name, [files, message]] of Object.entries(cases)) {
    it(name, () => {
      write({ ...clean, ...files })
      const { violations } = checkStructure(root)
      expect(violations).toHaveLength(1)
      expect(violations[0]).toMatch(message)
    })
  }
})

it("notes a file over the soft limit without failing", () => {
  write({ ...clean, "main/longish.ts": lines(251) })
  const { violations, notes } = checkStructure(root)
  expect(violations).toEqual([])
  expect(notes).toEqual(["main/longish.ts: 251 lines (over 250)"])
})

it("finds weak symbols that lack their set's namespace", () => {
  const listing = [
    "0000000000000000 W nibble::Nf4::decode(unsigned char)",
    "0000000000000000 W void nibble::avx2::matmul<nibble::Nf4>(int)",
    "0000000000000000 V DW.ref.__gxx_personality_v0",
    "0000000000000040 T nibble::avx2_table()",
    "                 U memcpy",
  ].join("\n")
  expect(foreignWeakSymbols("avx2", listing)).toEqual(["nibble::Nf4::decode(unsigned char)"])
})
