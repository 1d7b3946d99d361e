import { expect, test } from "vitest"
import { createLogTail, describeExit } from "../../../main/engine/exit-reason.ts"

test("what ended the engine is a sentence", () => {
  expect(describeExit(null, "SIGKILL", [])).toBe("The engine was killed by signal 9: the system ended it, mostly for lack of memory.")
  expect(describeExit(3, null, ["one", "two"])).toBe("The engine ended with exit code 3. Its last lines:\none\ntwo")
  expect(describeExit(null, "SIGSEGV", [])).toContain("memory fault")
  expect(describeExit(null, "SIGUSR1", [])).toContain("ended by SIGUSR1")
  expect(describeExit(null, "spawn ENOENT", [])).toBe("The engine could not be started: spawn ENOENT.")
})

test("the last 20 lines are kept, also when they come in pieces", () => {
  const tail = createLogTail()
  for (let i = 0; i < 100; i++) tail.add(`line ${i}\n`)
  tail.add("li")
  tail.add("ne 100\r\n\nhalf")
  expect(tail.lines()).toHaveLength(20)
  expect(tail.lines().slice(-2)).toEqual(["line 100", "half"])
  tail.add("x".repeat(100_000))
  expect(tail.lines().at(-1)).toHaveLength(4000)
})
