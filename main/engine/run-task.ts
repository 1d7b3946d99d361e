import type { Task } from "./addon-types.ts"

/** The result of a native task that ends early when `signal` asks for it (rejecting with "cancelled"). */
export async function runTask<Result>(task: Task<Result>, signal: AbortSignal): Promise<Result> {
  const cancel = () => task.cancel()
  signal.addEventListener("abort", cancel)
  if (signal.aborted) cancel()
  try {
    return await task.promise
  } finally {
    signal.removeEventListener("abort", cancel)
  }
}
