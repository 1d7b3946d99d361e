// The one table of rules about what may lie and point where: docs/architecture.md says why. A folder that ends in /* stands for each of
// its subfolders, so a new feature needs no edit here.

/** What each folder may import or include of ours, besides itself. The longest matching folder counts. */
export const zones = [
  { folder: "native/core", mayUse: [] },
  { folder: "native/formats", mayUse: ["native/core"] },
  { folder: "native/device", mayUse: ["native/core", "native/formats"] },
  { folder: "native/ops", mayUse: ["native/core", "native/formats", "native/device"] },
  { folder: "native/io", mayUse: ["native/core", "native/formats"] },
  { folder: "native/model", mayUse: ["native/core", "native/formats", "native/device", "native/ops", "native/io"] },
  ...["native/quant", "native/train"].map((folder) => ({
    folder,
    mayUse: ["native/core", "native/formats", "native/device", "native/ops", "native/io", "native/model"],
  })),
  // The plan runs dry what loads and what trains.
  {
    folder: "native/plan",
    mayUse: ["native/core", "native/formats", "native/device", "native/ops", "native/io", "native/model", "native/train"],
  },
  ...["native/binding", "native/tools"].map((folder) => ({ folder, mayUse: ["native/*"] })),

  { folder: "shared", mayUse: [] },
  // The faces know the services; the services know no face.
  { folder: "main", mayUse: ["shared"] },
  { folder: "main/electron", mayUse: ["main", "shared"] },
  { folder: "main/serve", mayUse: ["main", "shared"] },
  { folder: "main/cli", mayUse: ["main", "main/serve", "shared"] },
  { folder: "renderer/lib", mayUse: ["shared"] },
  { folder: "renderer/ui", mayUse: ["shared"] },
  // What several features show and that knows the app: texts, main's calls.
  { folder: "renderer/parts", mayUse: ["renderer/lib", "renderer/ui", "shared"] },
  { folder: "renderer/features/*", mayUse: ["renderer/parts", "renderer/lib", "renderer/ui", "shared"] },
  { folder: "renderer/app", mayUse: ["renderer/features/*", "renderer/parts", "renderer/lib", "renderer/ui", "shared"] },
  { folder: "renderer", mayUse: ["renderer/app", "renderer/lib", "renderer/ui", "shared"] },

  { folder: "bench", mayUse: ["main", "main/*", "shared"] },
  { folder: "scripts", mayUse: [] },
  { folder: "test", mayUse: ["*", "native/*", "main/*", "renderer/*", "renderer/features/*"] },
]

/** Modules and headers that belong into few places. `in` and `notIn` are folders; a file is named whole. */
export const placements = [
  { module: /^(napi|node_api|js_native_api)\.h$/, in: ["native/binding"] },
  { module: /^(cuda\w*|cublas\w*|mma|nv\w+)\.h$/, in: ["native/ops/cuda"] },
  { module: /^(\w*intrin|arm_neon|arm_sve)\.h$/, in: ["native/ops/simd"] },
  { module: /\.inl\.h$/, in: ["native/ops/cpu/isa_*.cc", "native/ops/cpu/*.inl.h"] },
  { module: /^electron(\/|$)/, in: ["main/electron", "test"] },
  { module: /^(react|react-dom)(\/|$)/, in: ["renderer", "test/renderer"] },
  { module: /^node:/, notIn: ["renderer", "shared"] },
  // Whatever is not a path of ours and not zod.
  { module: /^(?!\.|zod(\/|$))/, notIn: ["shared"] },
]

/** Words that may stand in one file only (comments do not count). */
export const words = [{ word: "engine.node", in: ["main/engine/addon.ts"], among: ["main", "renderer", "shared", "bench"] }]

/** Lines a file may have: over `soft` is noted, over `hard` is an error. */
export const sizes = [
  { files: /\.(ts|tsx|mjs|css)$/, soft: 250, hard: 400 },
  { files: /\.(cc|h|cu|cuh)$/, soft: 300, hard: 600 },
]
export const largestFile_bytes = 1 << 20

/** Files that need a test of their own, and where it stands. */
export const mirrors = [
  { file: /^native\/ops\/cpu\/(\w+)\.inl\.h$/, test: "test/native/ops/$1_test.cc" },
  { file: /^native\/io\/(\w+)\.cc$/, test: "test/native/io/$1_test.cc" },
  { file: /^main\/services\/([\w-]+)\.ts$/, test: "test/main/services/$1.test.ts" },
  { file: /^renderer\/features\/([\w-]+)\/state\.ts$/, test: "test/renderer/features/$1/state.test.ts" },
]

export const names = [
  { files: /\.tsx?$/, form: /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|spec))?\.tsx?$/, say: "kebab-case" },
  { files: /\.(cc|h|cu|cuh|def)$/, form: /^[a-z0-9]+(_[a-z0-9]+)*(\.inl)?\.\w+$/, say: "snake_case" },
]

/** No barrel files, no drawers for everything. */
export const forbiddenPaths = [
  { path: /(^|\/)index\.tsx?$/, say: "no barrel files: import from the file that owns the thing" },
  { path: /(^|\/)(utils?|helpers|misc)(\/|\.\w+$)/, say: "no folder or file for everything: name it for what it does" },
]

/** Made by programs or kept as they are: not read by the rules above. */
export const notRead = ["test/golden", "test/fixtures"]
