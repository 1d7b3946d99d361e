import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { expect, it } from "vitest"
import { createGpuProbe, type GpuProbeOptions } from "../../../main/system/gpu.ts"
import { scratchFolder } from "../scratch.ts"

function rootWith(files: Record<string, string>): string {
  const root = scratchFolder()
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

function device(address: string, ids: { class: string; vendor: string; device: string }): Record<string, string> {
  return Object.fromEntries(Object.entries(ids).map(([name, id]) => [`sys/bus/pci/devices/${address}/${name}`, `${id}\n`]))
}

const rtx = device("0000:01:00.0", { class: "0x030000", vendor: "0x10de", device: "0x2786" })
const network = device("0000:00:01.0", { class: "0x020000", vendor: "0x10de", device: "0x0001" })
const model = { "proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t\t NVIDIA GeForce RTX 4070\nIRQ: 1\n" }
const loaded = { "proc/driver/nvidia/version": "NVRM version: 570.1\n" }
const library = { "usr/lib/x86_64-linux-gnu/libcuda.so.1": "" }
const node = { "dev/nvidiactl": "" }

async function missing(files: Record<string, string>, backends: string[] = ["cpu"], options: GpuProbeOptions = {}) {
  const probe = createGpuProbe({ platform: "linux", root: rootWith(files), env: {}, ...options })
  const { gpus, missing: lacks } = await probe.read(backends)
  expect(gpus).toEqual([])
  return lacks
}

it("says that there is no card, or that it is not one to compute on", async () => {
  expect(await missing(network)).toMatchObject([
    { kind: "no_card", sentence: "No NVIDIA graphics card was found, so models run on the processor." },
  ])
  const amd = device("0000:03:00.0", { class: "0x030200", vendor: "0x1002", device: "0x73bf" })
  const list = { "usr/share/misc/pci.ids": "1002  AMD\n\t73bf  Navi 21 [Radeon RX 6800]\n10de  NVIDIA\n\t73bf  wrong\n" }
  expect(await missing({ ...amd, ...list })).toMatchObject([{ kind: "other_card", name: "AMD Radeon RX 6800" }])
  expect(await missing({ ...amd })).toMatchObject([{ kind: "other_card", name: "AMD 73bf" }])
})

it("says step by step what an NVIDIA card lacks", async () => {
  expect(await missing(rtx)).toMatchObject([{ kind: "no_driver", name: "NVIDIA 2786", detail: "/proc/driver/nvidia/version" }])
  const [lacksLibrary] = await missing({ ...rtx, ...loaded, ...model })
  expect(lacksLibrary).toMatchObject({ kind: "no_library", name: "NVIDIA GeForce RTX 4070", detail: "libcuda.so.1" })
  expect(lacksLibrary?.sentence).toContain("the library libcuda.so.1 was not found. Install")
  expect(await missing({ ...rtx, ...loaded, ...library })).toMatchObject([{ kind: "no_device_file", detail: "/dev/nvidiactl" }])
  expect(await missing({ ...rtx, ...loaded, ...library, ...node })).toMatchObject([{ kind: "no_backend" }])
  expect(await missing({ ...rtx, ...loaded, ...library, ...node }, ["cpu", "cuda"])).toEqual([])
})

it("finds the library in the linker's cache and in LD_LIBRARY_PATH", async () => {
  const there = { ...rtx, ...loaded, ...node }
  expect(await missing({ ...there, "etc/ld.so.cache": "ld.so-1.7.0\0libcuda.so.1\0/opt/x/libcuda.so.1\0" })).toMatchObject([
    { kind: "no_backend" },
  ])
  expect(await missing({ ...there, "etc/ld.so.cache": "ld.so-1.7.0\0libcudart.so.1\0" })).toMatchObject([{ kind: "no_library" }])
  const own = { ...there, "opt/cuda/libcuda.so.1": "" }
  expect(await missing(own, ["cpu"], { env: { LD_LIBRARY_PATH: "/nowhere:/opt/cuda" } })).toMatchObject([{ kind: "no_backend" }])
})

it("names a driver that cannot compute, and puts NVIDIA's card before the others", async () => {
  const intel = device("0000:00:02.0", { class: "0x030000", vendor: "0x8086", device: "0x4680" })
  const root = rootWith({ ...intel, ...rtx, "sys/bus/pci/drivers/nouveau/bind": "" })
  symlinkSync("../../drivers/nouveau", join(root, "sys/bus/pci/devices/0000:01:00.0/driver"))
  expect(await missing({}, ["cpu"], { root })).toMatchObject([{ kind: "wrong_driver", name: "NVIDIA 2786", detail: "nouveau" }])
})

it("takes the card that Windows shares with its Linux", async () => {
  const wsl = { "dev/dxg": "", "usr/lib/wsl/lib/libcuda.so.1": "" }
  expect(await missing(wsl)).toMatchObject([{ kind: "no_backend", name: "NVIDIA" }])
})

it("asks Windows and macOS once", async () => {
  let asked = 0
  const windows = createGpuProbe({
    platform: "win32",
    env: { SystemRoot: rootWith({ "System32/nvcuda.dll": "" }) },
    run: async (file) => {
      asked++
      return file === "powershell.exe" ? "Microsoft Basic Display Adapter|1\r\nIntel(R) UHD|2\r\nNVIDIA GeForce RTX 3060|31.0.15\r\n" : null
    },
  })
  expect((await windows.read(["cpu"])).missing).toMatchObject([{ kind: "no_backend", name: "NVIDIA GeForce RTX 3060", detail: "31.0.15" }])
  expect((await windows.read(["cpu", "cuda"])).missing).toEqual([])
  expect(asked).toBe(1)
  const noDriver = await missing({}, ["cpu"], { platform: "win32", run: async () => "NVIDIA T4|1", env: { SystemRoot: scratchFolder() } })
  expect(noDriver).toMatchObject([{ kind: "no_library", detail: "nvcuda.dll" }])
  const mac = await missing({}, ["cpu"], {
    platform: "darwin",
    run: async () => "Graphics:\n    Apple M2:\n      Chipset Model: Apple M2\n",
  })
  expect(mac).toMatchObject([{ kind: "apple", name: "Apple M2" }])
  expect(mac[0]?.sentence).toBe("The graphics of this Mac (Apple M2) are not used: this build of Nibble computes on the processor only.")
})
