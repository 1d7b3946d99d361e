// Which process works on a record of the database. The one app that holds the lock of the data folder and any number of command lines
// share it; a process that died leaves its records behind.
import { toErrorData } from "../../shared/schema/error.ts"

export interface Owner {
  pid: number
  /** Whether it holds the lock. */
  isLocked: boolean
}

/**
 * Whether another owner works on it now. To be asked only of what the asker itself does not work on. `isLocked`: whether the asker holds
 * the lock, so that a locked owner is gone.
 */
export function isElsewhere(owner: Owner, isLocked: boolean): boolean {
  return !(owner.isLocked && isLocked) && isProcess(owner.pid)
}

function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    return toErrorData(thrown).code === "no_permission"
  }
}
