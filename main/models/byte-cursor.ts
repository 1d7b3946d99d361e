// Reads a file from front to back through a window, so that a header is parsed without reading the file whole. Numbers are
// little-endian. The hot path is synchronous: `need` waits only when the window has to move.
import { AppError } from "../../shared/schema/error.ts"
import { type BoundedFile, damagedHint } from "./bounded-file.ts"

const windowBytes = 1 << 20

export class ByteCursor {
  readonly #file: BoundedFile
  /** Where reading must end: the file's end, or a limit before it. */
  readonly #end: number
  #window: Buffer = Buffer.alloc(0)
  #windowStart = 0
  #at = 0

  constructor(file: BoundedFile, maxBytes: number) {
    this.#file = file
    this.#end = Math.min(file.size, maxBytes)
  }

  /** Offset in the file. */
  get position(): number {
    return this.#windowStart + this.#at
  }

  /** Bytes that are left in the file or before the limit. */
  get left(): number {
    return this.#end - this.position
  }

  has(bytes: number): boolean {
    return this.#at + bytes <= this.#window.length
  }

  /** Makes the next `bytes` bytes readable. Throws bad_file when the header would reach past the end. */
  async need(bytes: number, what: string): Promise<void> {
    if (this.has(bytes)) return
    if (bytes > this.left) {
      const limit =
        this.#end < this.#file.size ? `headers of more than ${this.#end} bytes are not read` : `the file has only ${this.#file.size}`
      throw new AppError(
        "bad_file",
        `${this.#file.path}: ${what} needs ${bytes} bytes from byte ${this.position} on, but ${limit}.`,
        damagedHint,
      )
    }
    this.#windowStart = this.position
    this.#at = 0
    this.#window = await this.#file.read(this.#windowStart, Math.min(this.left, Math.max(bytes, windowBytes)))
  }

  uint(bytes: 1 | 2 | 4): number {
    return this.#window.readUIntLE(this.#advance(bytes), bytes)
  }
  int(bytes: 1 | 2 | 4): number {
    return this.#window.readIntLE(this.#advance(bytes), bytes)
  }
  uint64(): bigint {
    return this.#window.readBigUInt64LE(this.#advance(8))
  }
  int64(): bigint {
    return this.#window.readBigInt64LE(this.#advance(8))
  }
  float32(): number {
    return this.#window.readFloatLE(this.#advance(4))
  }
  float64(): number {
    return this.#window.readDoubleLE(this.#advance(8))
  }
  text(bytes: number): string {
    const from = this.#advance(bytes)
    return this.#window.toString("utf8", from, from + bytes)
  }

  /** The next 8 bytes as a length, without passing them. */
  peekUint64(): bigint {
    return this.#window.readBigUInt64LE(this.#at)
  }

  #advance(bytes: number): number {
    const from = this.#at
    this.#at += bytes
    return from
  }
}
