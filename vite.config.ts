// The page: bundled from renderer/ into dist/page, and the settings of the vitest runs. The bundles for Node are made by scripts/build.mjs.
import { fileURLToPath } from "node:url"
import tailwindcss from "@tailwindcss/vite"
import react from "@vitejs/plugin-react"
import { defineConfig } from "vitest/config"

const top = fileURLToPath(new URL(".", import.meta.url))

export default defineConfig({
  root: `${top}renderer`,
  // Relative addresses: the same page stands under app:// in Electron and under http://127.0.0.1 when served.
  base: "./",
  plugins: [react(), tailwindcss()],
  build: {
    outDir: `${top}dist/page`,
    emptyOutDir: true,
    target: "chrome140",
    // The content policy forbids data: addresses for scripts and fonts, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
  },
  test: {
    root: top,
    include: ["test/{shared,main,renderer,addon,scripts,fuzz,bench,hub}/**/*.test.{ts,tsx}"],
    environment: "node",
    testTimeout: 20_000,
    // Two files at a time at most: the engine uses all cores by itself.
    maxWorkers: 2,
  },
})
