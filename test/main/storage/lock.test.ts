import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, it, onTestFinished } from "vitest"
import { lockDataFolder } from "../../../main/storage/lock.ts"
import { scratchFolder } from "../scratch.ts"

const lockFile = fileURLToPath(new URL("../../../main/storage/lock.ts", import.meta.url))

/** Another process that holds the lock of `home` until it is killed. */
async function holder(home: string): Promise<ChildProcess> {
  const program = `import { lockDataFolder } from ${JSON.stringify(lockFile)}
    await lockDataFolder(${JSON.stringify(home)})
    console.log("locked")
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: ["ignore", "pipe", "inherit"] })
  onTestFinished(() => void child.kill("SIGKILL"))
  await once(child.stdout, "data")
  return child
}

it("lets one app in per folder, and the next when the first has gone", async () => {
  const home = scratchFolder()
  const first = await lockDataFolder(home)
  await expect(lockDataFolder(home)).rejects.toMatchObject({ code: "busy" })
  const elsewhere = await lockDataFolder(scratchFolder())
  elsewhere.release()
  first.release()
  first.release()
  const second = await lockDataFolder(home)
  second.release()
  expect(readdirSync(home)).toEqual(["nibble.lock"])
})

it("names the folder and the process that has it, and takes over from one that was killed", async () => {
  const home = scratchFolder()
  const child = await holder(home)
  await expect(lockDataFolder(home)).rejects.toMatchObject({
    code: "busy",
    message: `Nibble is already running with the data folder ${home} (process ${child.pid}).`,
    hint: expect.stringContaining("NIBBLE_HOME"),
  })
  child.kill("SIGKILL")
  await once(child, "exit")
  const lock = await lockDataFolder(home)
  lock.release()
})

it("says where a folder cannot be locked", async () => {
  await expect(lockDataFolder(`${scratchFolder()}/missing`)).rejects.toMatchObject({
    code: "no_permission",
    message: expect.stringContaining("missing"),
  })
})
