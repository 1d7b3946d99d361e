import { afterEach, expect, test } from "vitest"
import { attempt, describeFailure, failureTitle } from "../../../renderer/lib/failure.ts"
import { i18n } from "../../../renderer/lib/i18n.ts"
import { AppError, type ErrorData } from "../../../shared/schema/error.ts"

afterEach(() => i18n.changeLanguage("en"))

const tooSmall = { code: "out_of_memory", message: "Llama needs 9.2 GiB; 4.1 GiB are free.", hint: "Choose a context of 2048." }

test("main's hint is what to do, and what fits the code where main has none", () => {
  const { title, advice, detail, log } = describeFailure(tooSmall)
  expect({ title, advice, detail, log }).toEqual({
    title: "Not enough memory",
    advice: "Choose a context of 2048.",
    detail: "Llama needs 9.2 GiB; 4.1 GiB are free.",
    log: null,
  })
  expect(describeFailure({ ...tooSmall, hint: undefined }).advice).toContain("smaller model")
})

test("in Chinese the title and what to do are Chinese, and main's whole sentence stands below", async () => {
  await i18n.changeLanguage("zh")
  const { title, advice, detail } = describeFailure(tooSmall)
  expect(title).toBe("内存不足")
  expect(advice).toMatch(/^请关闭其他程序/)
  expect(advice).not.toMatch(/context/)
  expect(detail).toBe("Llama needs 9.2 GiB; 4.1 GiB are free. Choose a context of 2048.")
})

test("the last lines of a dead engine are kept apart from the sentence", () => {
  const failure = describeFailure({ code: "engine_lost", message: "The engine aborted (signal 6).\none\ntwo" })
  expect(failure.detail).toBe("The engine aborted (signal 6).")
  expect(failure.log?.text).toBe("one\ntwo")
})

test("a code of another Nibble is an internal error", () => {
  expect(failureTitle("melted")).toBe(failureTitle("internal"))
})

test("a cancelled call is no failure", async () => {
  const shown: ErrorData[] = []
  const show = (error: ErrorData) => shown.push(error)
  expect(await attempt(() => Promise.reject(new AppError("cancelled", "cancelled")), show)).toBeUndefined()
  expect(await attempt(() => Promise.reject(new AppError("busy", "At work.")), show)).toBeUndefined()
  expect(shown).toEqual([{ code: "busy", message: "At work." }])
  expect(await attempt(async () => 7, show)).toBe(7)
})
