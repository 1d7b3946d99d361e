// What a machine needs to build the program, and the command that installs what is missing on this system.
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Failure } from "./progress.mjs"

const leastNode = 20
const leastCMake = [3, 22]

const works = (command, args) => spawnSync(command, args, { stdio: "ignore", shell: false }).status === 0

function hasGit() {
  return works("git", ["--version"])
}

function hasCMake() {
  const { stdout } = spawnSync("cmake", ["--version"], { encoding: "utf8" })
  const version = stdout
    ?.match(/(\d+)\.(\d+)/)
    ?.slice(1)
    .map(Number)
  return version !== undefined && (version[0] - leastCMake[0] || version[1] - leastCMake[1]) >= 0
}

/** Compiles a few lines that older compilers and C++17 refuse. */
function hasCompiler() {
  if (process.platform === "win32") {
    // CMake finds Visual Studio through the same tool; cl itself is on no path.
    const where = join(process.env["ProgramFiles(x86)"] ?? "C:", "Microsoft Visual Studio/Installer/vswhere.exe")
    const { stdout } = spawnSync(
      where,
      ["-latest", "-products", "*", "-requires", "Microsoft.VisualStudio.Component.VC.Tools.x86.x64", "-property", "installationPath"],
      { encoding: "utf8" },
    )
    return Boolean(stdout?.trim())
  }
  const folder = mkdtempSync(join(tmpdir(), "nibble-compiler-"))
  try {
    const source = join(folder, "probe.cc")
    writeFileSync(
      source,
      "#include <bit>\n#include <span>\ntemplate <class T> requires(sizeof(T) == 4) int f(T) { return std::bit_width(4u); }\nint main() { return f(1) - 3; }\n",
    )
    const compilers = process.env.CXX ? [process.env.CXX] : ["c++", "g++", "clang++"]
    return compilers.some((compiler) => works(compiler, ["-std=c++20", "-fsyntax-only", source]))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

// Package names per package manager; a name may be several packages.
const requirements = [
  {
    name: "a C++20 compiler (GCC 11, Clang 14, Visual Studio 2022 or newer)",
    isThere: hasCompiler,
    packages: {
      apt: "g++ make",
      dnf: "gcc-c++ make",
      pacman: "base-devel",
      zypper: "gcc-c++ make",
      apk: "build-base",
      winget: "Microsoft.VisualStudio.2022.BuildTools",
    },
  },
  {
    name: `CMake ${leastCMake.join(".")} or newer`,
    isThere: hasCMake,
    packages: { apt: "cmake", dnf: "cmake", pacman: "cmake", zypper: "cmake", apk: "cmake", brew: "cmake", winget: "Kitware.CMake" },
  },
  {
    name: "Git",
    isThere: hasGit,
    packages: { apt: "git", dnf: "git", pacman: "git", zypper: "git", apk: "git", brew: "git", winget: "Git.Git" },
  },
]

const managers = {
  apt: { probe: "apt-get", install: "apt-get install -y" },
  dnf: { probe: "dnf", install: "dnf install -y" },
  pacman: { probe: "pacman", install: "pacman -S --needed" },
  zypper: { probe: "zypper", install: "zypper install -y" },
  apk: { probe: "apk", install: "apk add" },
  brew: { probe: "brew", install: "brew install" },
  winget: { probe: "winget", install: "winget install" },
}

/** The commands that install `missing` (entries of `requirements`) here, one a line; empty where no package manager is known. */
function installCommands(missing) {
  const manager = Object.keys(managers).find((name) => works(managers[name].probe, ["--version"]))
  const commands = []
  // On a Mac the compiler comes from Apple, whatever else is installed.
  if (process.platform === "darwin" && missing.some((one) => one.isThere === hasCompiler)) commands.push("xcode-select --install")
  const packages = missing.flatMap((one) => one.packages[manager] ?? [])
  if (packages.length) {
    const needsSudo = !["brew", "winget"].includes(manager) && process.getuid?.() !== 0
    // winget takes one package a call.
    const groups = manager === "winget" ? packages : [packages.join(" ")]
    for (const group of groups) commands.push(`${needsSudo ? "sudo " : ""}${managers[manager].install} ${group}`)
  }
  return commands
}

/** Throws a Failure that names everything that is missing and how to get it. */
export function checkNode() {
  const major = Number(process.versions.node.split(".")[0])
  if (major < leastNode)
    throw new Failure(`Nibble needs Node ${leastNode} or newer; this is ${process.versions.node}. Newer versions: nodejs.org/download`)
}

/** Throws a Failure that names everything that is missing for a native build and how to get it. */
export function checkBuildTools() {
  const missing = requirements.filter((one) => !one.isThere())
  if (!missing.length) return
  const commands = installCommands(missing)
  const how = commands.length ? `\nThis installs it:\n${commands.map((command) => `  ${command}`).join("\n")}` : ""
  throw new Failure(
    `To build Nibble, this machine lacks ${missing.map((one) => one.name).join(", ")}.${how}\nThen run the same command again.`,
  )
}
