// What failed is named with its message, whichever runner's report it stands in; a runner without a report is a failure.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, it } from "vitest"
import { ctestReport, playwrightReport, vitestReport } from "../../scripts/reports.mjs"

const folder = mkdtempSync(join(tmpdir(), "nibble-reports-"))
afterAll(() => rmSync(folder, { recursive: true }))

function report(text: string | object): string {
  const file = join(folder, "report")
  writeFileSync(file, typeof text === "string" ? text : JSON.stringify(text))
  return file
}

it("a sanitizer's report from its first line, without what passed", () => {
  const output = "matmul ok\n==7==ERROR: AddressSanitizer: heap-buffer-overflow on &lt;stack&gt;\n    #0 in nibble::matmul\n"
  const xml = `<testsuite tests="2" failures="1" disabled="0" skipped="0">
    <testcase name="quick" time="1" status="run"><system-out>3 passed</system-out></testcase>
    <testcase name="native" time="1" status="fail"><failure message=""/><system-out>${output}</system-out></testcase></testsuite>`
  expect(ctestReport(report(xml))).toEqual({
    passed: 1,
    failed: 1,
    skipped: 0,
    failures: ["native\n    ==7==ERROR: AddressSanitizer: heap-buffer-overflow on <stack>\n        #0 in nibble::matmul"],
  })
})

it("vitest's failed tests and the files that did not load, without colours", () => {
  const failed = { status: "failed", fullName: "plan fits", failureMessages: ["\u001b[31mexpected 1\u001b[39m\n    at plan.test.ts:3"] }
  const json = {
    numPassedTests: 4,
    numFailedTests: 1,
    numPendingTests: 1,
    numTodoTests: 0,
    testResults: [
      { name: "/top/test/plan.test.ts", message: "", assertionResults: [{ status: "passed", fullName: "x", failureMessages: [] }, failed] },
      { name: "/top/test/broken.test.ts", message: "cannot find module", assertionResults: [] },
    ],
  }
  expect(vitestReport(report(json), "/top/")).toEqual({
    passed: 4,
    failed: 1,
    skipped: 1,
    failures: ["test/plan.test.ts > plan fits\n    expected 1\n        at plan.test.ts:3", "test/broken.test.ts\n    cannot find module"],
  })
})

it("playwright's failed specs, also of suites within suites", () => {
  const spec = (ok: boolean) => ({
    ok,
    file: "chat.spec.ts",
    line: 7,
    title: "answers",
    tests: [{ results: [ok ? {} : { error: { message: "timed out" } }] }],
  })
  const json = {
    errors: [],
    stats: { expected: 1, flaky: 1, unexpected: 1, skipped: 0 },
    suites: [{ specs: [spec(true)], suites: [{ specs: [spec(false)] }] }],
  }
  expect(playwrightReport(report(json))).toEqual({
    passed: 2,
    failed: 1,
    skipped: 0,
    failures: ["test/e2e/chat.spec.ts:7 > answers\n    timed out"],
  })
})

it("no report is one failure", () => {
  for (const read of [ctestReport, vitestReport, playwrightReport])
    expect(read(join(folder, "none"), folder)).toEqual({ passed: 0, failed: 1, skipped: 0, failures: ["no report was written"] })
})
