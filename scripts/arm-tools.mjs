// The cross compiler and the emulator that the tests of the ARM code need.
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { runLogged } from "./progress.mjs"

const packageOf = { "aarch64-linux-gnu-g++": "g++-aarch64-linux-gnu", "qemu-aarch64": "qemu-user" }

const missingTools = () => Object.keys(packageOf).filter((tool) => spawnSync(tool, ["--version"], { stdio: "ignore" }).status !== 0)

/** The names of the tools that are still missing after an attempt to install them: as root, by the distribution's package manager. */
export async function installArmTools() {
  const missing = missingTools()
  if (!missing.length || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return missing
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
  const packages = missing.map((tool) => packageOf[tool])
  for (const args of [["update"], ["install", "-y", "--no-install-recommends", ...packages]]) {
    // A failed update may not matter, and what counts is checked below.
    await runLogged("arm-tools", "apt-get", args, { timeout: 300_000, env }).catch(() => {})
  }
  return missingTools()
}
