// npm run package: out/nibble-<version>-<platform>-<arch>.tar.gz, which runs where neither Node nor a compiler is: the bundles, the page, the
// engine, the pinned Node and a launcher. What was packed is unpacked again and asked for `nibble doctor` before it counts as made.
import { spawnSync } from "node:child_process"
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pinnedNode, top } from "./places.mjs"
import { Failure, fail, runLogged, step } from "./progress.mjs"
import { setUp } from "./setup.mjs"

const { version } = JSON.parse(readFileSync(join(top, "package.json"), "utf8"))
const name = `nibble-${version}-${process.platform}-${process.arch}`
const isWindows = process.platform === "win32"
const launcher = isWindows ? "nibble.cmd" : "nibble"

// The launcher follows links to itself, so that a link to it may lie in a folder of the search path.
const launcherText = isWindows
  ? '@"%~dp0runtime\\node.exe" "%~dp0main\\cli.mjs" %*\r\n'
  : `#!/bin/sh
self=$0
while [ -L "$self" ]; do
  link=$(readlink "$self")
  case $link in /*) self=$link ;; *) self=$(dirname "$self")/$link ;; esac
done
here=$(cd "$(dirname "$self")" && pwd)
exec "$here/runtime/node" "$here/main/cli.mjs" "$@"
`

/** The licences of what the bundles contain: every package that the lock does not mark as for development. */
function licences() {
  const { packages } = JSON.parse(readFileSync(join(top, "package-lock.json"), "utf8"))
  const shipped = Object.entries(packages).filter(([path, entry]) => path && !entry.dev && existsSync(join(top, path)))
  return shipped
    .map(([path, entry]) => {
      const file = readdirSync(join(top, path)).find((one) => /^licen[cs]e/i.test(one))
      const text = file ? readFileSync(join(top, path, file), "utf8").trim() : `Licence: ${entry.license ?? "not stated"}`
      return `${path.replace(/^.*node_modules\//, "")} ${entry.version}\n\n${text}\n`
    })
    .join(`\n${"-".repeat(80)}\n\n`)
}

function assemble(folder) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, "runtime"), { recursive: true })
  const isWanted = (path) => !path.endsWith(".map")
  cpSync(join(top, "dist/main"), join(folder, "main"), { recursive: true, filter: isWanted })
  cpSync(join(top, "dist/page"), join(folder, "page"), { recursive: true, filter: isWanted })
  cpSync(join(top, "dist/engine.node"), join(folder, "engine.node"))
  cpSync(pinnedNode, join(folder, "runtime", isWindows ? "node.exe" : "node"))
  for (const file of ["README.md", "LICENSE"]) cpSync(join(top, file), join(folder, file))
  writeFileSync(join(folder, "LICENSES-third-party.txt"), licences())
  writeFileSync(join(folder, launcher), launcherText)
  chmodSync(join(folder, launcher), 0o755)
}

/** Unpacks the archive elsewhere and runs it with an empty data folder and nothing of this checkout in reach. */
function verify(archive) {
  const place = mkdtempSync(join(tmpdir(), "nibble-package-"))
  try {
    const unpacked = spawnSync("tar", ["-xzf", archive, "-C", place])
    if (unpacked.status !== 0) throw new Failure(`tar cannot unpack ${archive}`)
    const env = { ...process.env, NIBBLE_HOME: join(place, "home") }
    const { status, stdout, stderr } = spawnSync(join(place, name, launcher), ["doctor", "--json"], {
      cwd: place,
      env,
      encoding: "utf8",
      shell: isWindows,
    })
    if (status !== 0) throw new Failure(`nibble doctor of the package ended with code ${status}:\n${stdout}${stderr}`)
    const report = JSON.parse(stdout)
    if (!report.backends?.some((backend) => backend.available)) throw new Failure(`the package has no backend that works here:\n${stdout}`)
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

try {
  await setUp()
  const folder = join(top, "out", name)
  const archive = `${folder}.tar.gz`
  await step("[1/3]", "Assembling", async () => assemble(folder))
  await step("[2/3]", "Packing", () => runLogged("package", "tar", ["-czf", archive, "-C", join(top, "out"), name]))
  await step("[3/3]", "Running what was packed", async () => verify(archive))
  process.stdout.write(`${archive}\n`)
} catch (error) {
  fail(error)
}
