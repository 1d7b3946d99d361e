import { afterEach, describe, expect, test } from "vitest"
import {
  formatBytes,
  formatCount,
  formatDone,
  formatLicense,
  formatMagnitude,
  formatName,
  formatParameters,
  formatRate,
  formatSeconds,
  formatShare,
  formatTimeLeft,
  formatTokensPerS,
} from "../../../renderer/lib/format.ts"
import { i18n } from "../../../renderer/lib/i18n.ts"
import type { JobProgress } from "../../../shared/schema/job.ts"

const mib = 1024 ** 2

afterEach(() => i18n.changeLanguage("en"))

const progress: JobProgress = {
  phase: "download",
  done: 31.2 * mib,
  total: 87.5 * mib,
  unit: "bytes",
  rate: 6.4 * mib,
  secondsLeft: 9,
  item: "",
}

describe("numbers as people read them", () => {
  test.each([
    [0, "0.0 MiB"],
    [500, "0.5 KiB"],
    [1024, "1.0 KiB"],
    [mib - 1, "1,024.0 KiB"],
    [mib, "1.0 MiB"],
    [91_754_598, "87.5 MiB"],
    [1024 ** 3, "1.0 GiB"],
    [1234.5 * 1024 ** 3, "1,234.5 GiB"],
  ])("%i bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text))

  test.each([
    [999, "999"],
    [134_515_008, "135 M"],
    [8_030_261_248, "8.0 B"],
  ])("%i parameters are %s", (count, text) => expect(formatParameters(count)).toBe(text))

  test.each([
    [0.25, "0.3"],
    [9.94, "9.9"],
    [10.4, "10"],
    [62.6, "63"],
  ])("%f tokens/s are %s", (rate, text) => expect(formatTokensPerS(rate)).toBe(text))

  test.each([
    [190, "0.19 s"],
    [12_345, "12.3 s"],
    [123_456, "123 s"],
  ])("%i ms are %s", (ms, text) => expect(formatSeconds(ms)).toBe(text))

  test.each([
    [0.3, "a moment"],
    [3.2, "about 4 s"],
    [12, "about 15 s"],
    [54, "about 55 s"],
    [58, "about 1 min"],
    [170, "about 3 min"],
    [3599, "about 1 h 0 min"],
    [5400, "about 1 h 30 min"],
  ])("%f seconds left are %s", (seconds, text) => expect(formatTimeLeft(seconds)).toBe(text))

  test("progress is in one unit, that of the total", () => {
    expect(formatDone(progress)).toBe("31.2 / 87.5 MiB")
    expect(formatDone({ ...progress, total: 2048 * mib })).toBe("0.0 / 2.0 GiB")
    expect(formatDone({ ...progress, total: 0 })).toBe("31.2 MiB")
    expect(formatDone({ ...progress, unit: "parameters", done: 51e6, total: 106e6 })).toBe("51 / 106 M")
    expect(formatDone({ ...progress, unit: "parameters", done: 51e6, total: 0 })).toBe("51 M")
    expect(formatDone({ ...progress, unit: "fraction", done: 0.426, total: 0 })).toBe("43 %")
    expect(formatDone({ ...progress, unit: "fraction", done: 1, total: 4 })).toBe("25 %")
  })

  test("a rate is said where it is known and means something", () => {
    expect(formatRate(progress)).toBe("6.4 MiB/s")
    expect(formatRate({ ...progress, rate: 0 })).toBe("")
    expect(formatRate({ ...progress, unit: "fraction", rate: 0.1 })).toBe("")
    expect(formatRate({ ...progress, unit: "parameters", rate: 38e6 })).toBe("38 M/s")
  })

  test("formats have names, those of others as the field writes them", () => {
    expect(formatName("nf4-dq")).toBe("4-bit (NF4 + DQ)")
    expect(formatName("q4_1")).toBe("Q4_1")
  })

  test("licenses have the names that their authors gave them", () => {
    expect(["apache-2.0", "MIT", "llama3.2"].map(formatLicense)).toEqual(["Apache 2.0", "MIT", "Llama 3.2"])
    expect(["some-license-1.0", "other", null].map(formatLicense)).toEqual(["some-license-1.0", "Other license", "License unknown"])
  })

  test("follow the language", async () => {
    await i18n.changeLanguage("zh")
    expect(formatTimeLeft(170)).toBe("约 3 分钟")
    expect(formatName("nf4")).toBe("4 位（NF4）")
    expect(formatCount(16_384)).toBe("16,384")
  })
})

test.each([
  [0, "0.0 %"],
  [0.0001, "< 0.1 %"],
  [0.0005, "0.1 %"],
  [0.01284, "1.3 %"],
  [1, "100.0 %"],
])("a share of %d reads %s", (share, text) => expect(formatShare(share)).toBe(text))

test.each([
  [0.4123, "0.412"],
  [8.051, "8.05"],
  [37.21, "37.2"],
  [1240.4, "1,240"],
])("a magnitude of %d reads %s", (value, text) => expect(formatMagnitude(value)).toBe(text))
