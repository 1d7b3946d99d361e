// Which graphics cards this computer has, and whether NVIDIA's driver is there to compute with: files of /sys, /proc and /dev on Linux,
// one question to the system elsewhere.
import { access, readdir, readFile, readlink } from "node:fs/promises"
import { basename, join } from "node:path"
import type { GpuMissing } from "../../shared/schema/system.ts"
import { gpuMissing } from "./gpu-missing.ts"
import type { RunProgram } from "./run-program.ts"

export interface FoundCard {
  vendor: "nvidia" | "amd" | "intel" | "apple" | "other"
  name: string
  /** Its name or version, as far as the system tells. */
  driver: string | null
}

export interface CardSystem {
  platform: NodeJS.Platform
  root: string
  run: RunProgram
  env: Record<string, string | undefined>
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )
const textOf = async (path: string) => (await readFile(path, "utf8").catch(() => "")).trim()

/** NVIDIA's first. */
export async function findCards(system: CardSystem): Promise<FoundCard[]> {
  const found = await (system.platform === "linux"
    ? linuxCards(system.root)
    : system.platform === "win32"
      ? windowsCards(system)
      : macCards(system))
  return found.sort((a, b) => Number(b.vendor === "nvidia") - Number(a.vendor === "nvidia"))
}

/** What NVIDIA's driver lacks for computing on `card`; null when all is there. */
export async function nvidiaDriver(card: FoundCard, { platform, root, env }: CardSystem): Promise<GpuMissing | null> {
  if (platform === "win32") {
    const library = join(env.SystemRoot ?? "C:\\Windows", "System32", "nvcuda.dll")
    return (await exists(library)) ? null : gpuMissing("no_library", card.name, "nvcuda.dll")
  }
  if (platform !== "linux") return null
  const isWsl = await exists(join(root, "dev/dxg"))
  const version = "proc/driver/nvidia/version"
  if (!isWsl && !(await exists(join(root, version)))) {
    const other = card.driver
    return other && other !== "nvidia" ? gpuMissing("wrong_driver", card.name, other) : gpuMissing("no_driver", card.name, `/${version}`)
  }
  if (!(await hasLibrary("libcuda.so.1", root, env))) return gpuMissing("no_library", card.name, "libcuda.so.1")
  if (!isWsl && !(await exists(join(root, "dev/nvidiactl")))) return gpuMissing("no_device_file", card.name, "/dev/nvidiactl")
  return null
}

const vendors: Record<string, { vendor: FoundCard["vendor"]; name: string }> = {
  "0x10de": { vendor: "nvidia", name: "NVIDIA" },
  "0x1002": { vendor: "amd", name: "AMD" },
  "0x8086": { vendor: "intel", name: "Intel" },
}
/** Base class of displays, in the first byte of three. */
const displayClass = /^0x03/

async function linuxCards(root: string): Promise<FoundCard[]> {
  const folder = join(root, "sys/bus/pci/devices")
  const cards: FoundCard[] = []
  for (const address of (await readdir(folder).catch(() => [])).sort()) {
    const device = join(folder, address)
    if (!displayClass.test(await textOf(join(device, "class")))) continue
    const [vendorId, deviceId] = [await textOf(join(device, "vendor")), await textOf(join(device, "device"))]
    const known = vendors[vendorId]
    const driver = basename(await readlink(join(device, "driver")).catch(() => "")) || null
    cards.push({ vendor: known?.vendor ?? "other", name: await pciName({ root, address, vendorId, deviceId }), driver })
  }
  const wsl = (await exists(join(root, "dev/dxg"))) && (await exists(join(root, "usr/lib/wsl/lib/libcuda.so.1")))
  if (wsl && !cards.some(({ vendor }) => vendor === "nvidia")) cards.push({ vendor: "nvidia", name: "NVIDIA", driver: null })
  return cards
}

interface PciDevice {
  root: string
  address: string
  vendorId: string
  deviceId: string
}

/** As the driver calls it, else as the list of PCI devices does, else by its numbers. */
async function pciName({ root, address, vendorId, deviceId }: PciDevice): Promise<string> {
  const information = await textOf(join(root, "proc/driver/nvidia/gpus", address, "information"))
  const model = information.match(/^Model:\s*(.+)$/m)?.[1]
  if (model) return model.trim()
  const vendor = vendors[vendorId]?.name ?? vendorId
  for (const list of ["usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids"]) {
    const name = nameInList(await textOf(join(root, list)), vendorId.slice(2), deviceId.slice(2))
    if (name) return `${vendor} ${name}`
  }
  return `${vendor} ${deviceId.slice(2)}`
}

/** Of "10de  NVIDIA Corporation" and below it, indented, "2786  AD104 [GeForce RTX 4070]". */
function nameInList(list: string, vendorId: string, deviceId: string): string | null {
  const from = list.search(new RegExp(`^${vendorId}  `, "m"))
  if (from < 0) return null
  const rest = list.slice(from)
  const end = rest.slice(1).search(/^[0-9a-f]{4} {2}/m)
  const name = rest.slice(0, end < 0 ? undefined : end + 1).match(new RegExp(`^\\t${deviceId}  (.+)$`, "m"))?.[1]
  return name?.match(/\[(.+)\]/)?.[1] ?? name ?? null
}

/** Where the dynamic linker finds libraries: its cache, LD_LIBRARY_PATH, and the folders that systems use without either. */
async function hasLibrary(name: string, root: string, env: CardSystem["env"]): Promise<boolean> {
  const folders = [
    ...(env.LD_LIBRARY_PATH ?? "").split(":").filter((folder) => folder !== ""),
    ...["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/lib/wsl/lib", "/run/opengl-driver/lib"],
  ]
  for (const folder of folders) if (await exists(join(root, folder, name))) return true
  const cache = await readFile(join(root, "etc/ld.so.cache")).catch(() => null)
  return cache?.includes(`/${name}\0`) ?? false
}

async function windowsCards({ run }: CardSystem): Promise<FoundCard[]> {
  const ask = 'Get-CimInstance Win32_VideoController | ForEach-Object { $_.Name + "|" + $_.DriverVersion }'
  const lines = ((await run("powershell.exe", ["-NoProfile", "-NonInteractive", "-Command", ask])) ?? "").split(/\r?\n/)
  return lines.flatMap((line) => {
    const [name = "", driver = ""] = line.split("|").map((part) => part.trim())
    return name === "" || /Microsoft Basic/.test(name) ? [] : [{ vendor: vendorOfName(name), name, driver: driver || null }]
  })
}

async function macCards({ run }: CardSystem): Promise<FoundCard[]> {
  const text = (await run("system_profiler", ["SPDisplaysDataType"])) ?? ""
  return [...text.matchAll(/^\s*Chipset Model:\s*(.+?)\s*$/gm)].map(([, name = ""]) => ({ vendor: vendorOfName(name), name, driver: null }))
}

function vendorOfName(name: string): FoundCard["vendor"] {
  if (/nvidia|geforce|quadro|tesla/i.test(name)) return "nvidia"
  if (/amd|radeon/i.test(name)) return "amd"
  if (/intel/i.test(name)) return "intel"
  return /apple/i.test(name) ? "apple" : "other"
}
