// What the runners' own report files say: counts, and of each failed test its name with the beginning of its message.
import { existsSync, readFileSync } from "node:fs"
import { relative } from "node:path"
import { stripVTControlCharacters } from "node:util"

/** One failure without a report: the runner did not start, or died before it wrote one. */
const noReport = { passed: 0, failed: 1, skipped: 0, failures: ["no report was written"] }

const read = (file, parse) => (existsSync(file) ? parse(readFileSync(file, "utf8")) : noReport)

/** A test's name over the first lines of what went wrong. */
function failure(name, message = "", lines = 6) {
  const said = stripVTControlCharacters(message).split("\n").filter(Boolean).slice(0, lines)
  return [name, ...said.map((line) => `    ${line}`)].join("\n")
}

/** CTest's --output-junit. Its one test is our runner, which prints a line for each of its own tests that failed. */
export function ctestReport(file) {
  return read(file, (text) => {
    const number = (key) => Number(text.match(new RegExp(`\\b${key}="(\\d+)"`))?.[1] ?? 0)
    const failed = number("failures")
    const skipped = number("skipped") + number("disabled")
    const failures = [...text.matchAll(/<testcase name="([^"]*)"[^>]*status="fail"[^>]*>(.*?)<\/testcase>/gs)].map(([, name, body]) =>
      failure(name, fromFirstFailure(unescaped(body.match(/<system-out>(.*?)<\/system-out>/s)?.[1] ?? "")), 25),
    )
    return { passed: number("tests") - failed - skipped, failed, skipped, failures }
  })
}

/** Without what passed before it; a sanitizer's report goes on with many lines that say less than its first ones. */
const fromFirstFailure = (output) => output.slice(Math.max(0, output.search(/^.*(FAILED|ERROR: |runtime error: )/m)))
const unescaped = (text) =>
  text
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&amp;/g, "&")

/** Vitest's json reporter. A file that did not load has a message and no tests. */
export function vitestReport(file, top) {
  return read(file, (text) => {
    const report = JSON.parse(text)
    const failures = report.testResults.flatMap(({ name, message, assertionResults }) => {
      const place = relative(top, name)
      const failed = assertionResults.filter(({ status }) => status === "failed")
      if (message && !failed.length) return [failure(place, message)]
      return failed.map((test) => failure(`${place} > ${test.fullName}`, test.failureMessages[0]))
    })
    return { passed: report.numPassedTests, failed: report.numFailedTests, skipped: report.numPendingTests + report.numTodoTests, failures }
  })
}

/** Playwright's json reporter. Suites hold suites and specs. */
export function playwrightReport(file) {
  return read(file, (text) => {
    const { suites, errors, stats } = JSON.parse(text)
    const specs = (suite) => [...suite.specs, ...(suite.suites ?? []).flatMap(specs)]
    const failed = suites.flatMap(specs).filter(({ ok }) => !ok)
    const message = (spec) => spec.tests.flatMap(({ results }) => results).find(({ error }) => error)?.error.message
    const failures = [
      ...errors.map((error) => failure("before any test", error.message)),
      ...failed.map((spec) => failure(`test/e2e/${spec.file}:${spec.line} > ${spec.title}`, message(spec))),
    ]
    return { passed: stats.expected + stats.flaky, failed: stats.unexpected, skipped: stats.skipped, failures }
  })
}
