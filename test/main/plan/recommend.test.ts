import { expect, it } from "vitest"
import { recommend, spareOf } from "../../../main/plan/recommend.ts"
import type { Format } from "../../../shared/schema/format.ts"
import { choice, device, row } from "./rows.ts"

const devices = [device("cpu", 1000)]
const sized = (format: Format, bytes: number, train = bytes) => {
  const training = row(format, { weights: train }, devices)
  return choice(row(format, { weights: bytes }, devices), { train: { total_bytes: train, verdict: training.verdict } })
}

it("takes the best quality that fits with room and can be trained", () => {
  const rows = [sized("nf4", 100), sized("bf16", 400), sized("int8", 200)]
  expect(recommend(rows, devices)).toEqual({ format: "bf16", reason: "best_that_fits", spareBytes: 600, context: 1024 })
})

it("leaves room to train where a smaller format has it", () => {
  const rows = [sized("bf16", 800, 1500), sized("int8", 400, 1100), sized("nf4", 200, 700), sized("nf4-dq", 190, 690)]
  expect(recommend(rows, devices)).toMatchObject({ format: "nf4", reason: "room_to_train", spareBytes: 800 })
})

it("does without training where nothing can be trained", () => {
  const rows = [sized("bf16", 800, 1500), sized("nf4", 400, 1200)]
  expect(recommend(rows, devices)).toMatchObject({ format: "bf16", reason: "best_that_fits" })
})

it("names the only one that fits", () => {
  expect(recommend([sized("bf16", 2000), sized("nf4", 500, 1500)], devices)).toMatchObject({ format: "nf4", reason: "only_one_that_fits" })
})

it("takes the smallest where all are tight, then where a part lies elsewhere", () => {
  expect(recommend([sized("int8", 990), sized("nf4", 950)], devices)).toMatchObject({ format: "nf4", reason: "smallest", spareBytes: 50 })
  const partly = choice(row("nf4", { weights: 1200 }, devices, { verdict: "partly" }))
  const other = choice(row("int8", { weights: 1500 }, devices, { verdict: "partly" }))
  expect(recommend([other, partly], devices)).toMatchObject({ format: "nf4", reason: "smallest", spareBytes: -200 })
})

it("says how much is missing when nothing fits", () => {
  expect(recommend([sized("bf16", 9000), sized("nf4", 3000)], devices)).toMatchObject({
    format: "nf4",
    reason: "nothing_fits",
    spareBytes: -2000,
  })
})

it("the program itself takes none of a card's memory", () => {
  const card = [device("0", 1000), device("cpu", 1000)]
  expect(spareOf(row("nf4", { weights: 1100, context: 50 }, card), card)).toBe(-100)
  expect(spareOf(row("nf4", { weights: 1100, context: 50 }, devices), devices)).toBe(-150)
})
