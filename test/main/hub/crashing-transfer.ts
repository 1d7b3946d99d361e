// A process of its own that transfers a file and is killed by its parent: crashing-transfer.ts WISH, which is JSON. It says how many bytes
// are here after each chunk.
import { transfer } from "../../../main/hub/transfer.ts"

const wish = JSON.parse(process.argv[2] ?? "")
await transfer({
  ...wish,
  signal: new AbortController().signal,
  onProgress: (_, bytes) => process.stdout.write(`${bytes}\n`),
})
process.stdout.write("whole\n")
