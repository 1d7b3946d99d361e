import { expect, test } from "vitest"
import { divideMemory, memorySegments, ownShares } from "../../../../renderer/features/memory/owners.ts"
import { measured, noParts, plan } from "./records.ts"

const bytesOf = (shares: { owner: string; bytes: number }[]) => Object.fromEntries(shares.map(({ owner, bytes }) => [owner, bytes]))
const { total: _, mapped: __, ...owners } = plan
/** All that is set aside. */
const used = { ...noParts, ...owners }
const sum = (shares: { bytes: number }[]) => shares.reduce((total, { bytes }) => total + bytes, 0)

test("without a model everything is the processes' own", () => {
  expect(ownShares(measured({ engineBytes: 70, programBytes: 100, windowBytes: 30 }))).toEqual([
    { owner: "context", bytes: 170, planned: null },
    { owner: "window", bytes: 30, planned: null },
  ])
})

test("a model that is all in memory has what the plan says, and what is beyond it is the engine's own", () => {
  const shares = ownShares(measured({ plan, engineBytes: 65 + plan.total, inUse: { ...used, context: 60 }, mappedBytes: plan.mapped }))
  expect(bytesOf(shares)).toEqual({ weights: 400, scales: 40, unquantized: 160, kv: 200, activations: 60, scratch: 40, context: 165 })
  expect(shares.find(({ owner }) => owner === "activations")?.planned).toBe(60)
})

test("what is mapped and not read is missing from the weights; what is allocated and not touched, from the cache first", () => {
  const memory = measured({ plan, engineBytes: 60 + 300 + 130, inUse: { ...used, context: 60 }, mappedBytes: 300 })
  const shares = ownShares(memory)
  expect(bytesOf(shares)).toEqual({ weights: 200, scales: 20, unquantized: 80, kv: 30, activations: 60, scratch: 40, context: 160 })
  expect(shares.find(({ owner }) => owner === "kv")).toMatchObject({ bytes: 30, planned: 200 })
  expect(sum(shares)).toBe(memory.engineBytes + memory.programBytes)
})

test("a short chat holds few keys and values; the tokenizer's memory is the engine's own, not theirs", () => {
  const inUse = { ...used, kv: 3, activations: 10, logits: 1, scratch: 8, context: 160 }
  const shares = ownShares(measured({ plan, engineBytes: 600 + 22 + 170, inUse, mappedBytes: 600 }))
  expect(bytesOf(shares)).toEqual({ weights: 400, scales: 40, unquantized: 160, kv: 3, activations: 11, scratch: 8, context: 270 })
  expect(shares.find(({ owner }) => owner === "kv")?.planned).toBe(200)
})

test("the whole is what was measured, whatever is known of it", () => {
  for (const engineBytes of [0, 30, 60, 200, 500, 900, 5000]) {
    for (const runtime of [null, 0, 60]) {
      const inUse = runtime === null ? null : { ...used, context: runtime }
      for (const mappedBytes of [null, 0, 250, 600, 9000]) {
        const memory = measured({ plan, engineBytes, inUse, mappedBytes, windowBytes: 7 })
        const shares = ownShares(memory)
        expect(sum(shares), `${engineBytes} ${runtime} ${mappedBytes}`).toBeCloseTo(engineBytes + memory.programBytes + 7, 6)
        expect(Math.min(...shares.map(({ bytes }) => bytes))).toBeGreaterThanOrEqual(0)
      }
    }
  }
})

test("pages of the model that were read are Nibble's, though the system counts them as available", () => {
  const memory = measured({
    plan,
    engineBytes: 960,
    inUse: { ...used, context: 60 },
    mappedBytes: 600,
    totalBytes: 10_000,
    availableBytes: 4600,
    reserveBytes: 500,
  })
  expect(divideMemory(memory)).toMatchObject({ nibbleBytes: 1060, otherBytes: 4940, reserveBytes: 500, freeBytes: 3500, usedBytes: 6000 })
  expect(sum(memorySegments(divideMemory(memory)))).toBe(10_000)
})

test("where little is free, the reserve is what is left, and nothing becomes negative", () => {
  const full = divideMemory(measured({ engineBytes: 900, totalBytes: 1000, availableBytes: 40, reserveBytes: 500 }))
  expect(full).toMatchObject({ nibbleBytes: 1000, otherBytes: 0, reserveBytes: 0, freeBytes: 0 })
  const tight = divideMemory(measured({ engineBytes: 100, totalBytes: 1000, availableBytes: 40, reserveBytes: 500 }))
  expect(tight).toMatchObject({ otherBytes: 760, reserveBytes: 40, freeBytes: 0 })
})
