import { tmpdir } from "node:os"
import { expect, it } from "vitest"
import { planComputers } from "../../../main/plan/computers.ts"
import { devicesHere, limited } from "../../../main/plan/devices.ts"
import { reserveOf } from "../../../main/system/reserve.ts"
import { PlanComputer } from "../../../shared/schema/plan.ts"
import { device } from "./rows.ts"

const gib = 2 ** 30
const facts = {
  info: { totalMemoryBytes: 16 * gib, availableMemoryBytes: 6 * gib, residentBytes: 3 * gib },
  ...{ loadedMappedBytes: 2 * gib, bandwidth: 5, folder: tmpdir() },
}

it("what the engine has now can be used again, but what is mapped counts as available already", async () => {
  const [cpu, disk] = await devicesHere(facts)
  expect(cpu).toMatchObject({ name: "cpu", kind: "cpu", totalBytes: 16 * gib, usableBytes: 7 * gib - reserveOf(16 * gib), bandwidth: 5 })
  expect(disk?.name).toBe("disk")
  expect(disk?.usableBytes).toBeGreaterThan(0)
})

it("never less than nothing, never more than there is, and no disk where the folder has gone", async () => {
  const low = { ...facts, info: { ...facts.info, availableMemoryBytes: 0, residentBytes: 0 } }
  expect((await devicesHere(low))[0]?.usableBytes).toBe(0)
  const high = { ...facts, info: { ...facts.info, availableMemoryBytes: 40 * gib } }
  expect((await devicesHere(high))[0]?.usableBytes).toBe(16 * gib)
  expect(await devicesHere({ ...facts, folder: "/nowhere/at/all" })).toHaveLength(1)
})

it("limits devices under both of their names, and only downwards", () => {
  const devices = [device("0", 800), device("cpu", 500)]
  const usable = (limits: Record<string, number>) => limited(devices, limits).map(({ usableBytes }) => usableBytes)
  expect(usable({ gpu0: 300, cpu: 900 })).toEqual([300, 500])
  expect(usable({ "0": 100 })).toEqual([100, 500])
  expect(() => limited(devices, { gpu1: 1 })).toThrow(/no device gpu1 to limit; there are gpu0, cpu/)
})

it("lists computers with sensible devices, the smallest first", () => {
  expect(new Set(planComputers.map(({ id }) => id)).size).toBe(planComputers.length)
  const usable = planComputers.map(({ devices }) => devices[0]?.usableBytes ?? 0)
  expect(usable).toEqual([...usable].sort((a, b) => a - b))
  for (const computer of planComputers) {
    PlanComputer.parse(computer)
    expect(computer.devices.at(-2)?.kind).toBe("cpu")
    expect(computer.devices.at(-1)?.kind).toBe("disk")
    for (const { usableBytes, totalBytes, bandwidth } of computer.devices) {
      expect(usableBytes).toBeGreaterThan(0)
      expect(usableBytes).toBeLessThan(totalBytes)
      expect(bandwidth).toBeGreaterThan(1e9)
    }
  }
})
