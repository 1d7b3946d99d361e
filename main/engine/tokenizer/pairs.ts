// Pairs of numbers -> two numbers each; open addressing in typed arrays, as vocabularies have up to half a million merges and
// millions of characters.
export class PairTable {
  private mask: number
  private pairs: Int32Array
  private values: Int32Array
  private count = 0

  /** `expected`: how many pairs there will be; more make it grow. */
  constructor(expected: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(16, expected * 2)))
    this.mask = size - 1
    this.pairs = new Int32Array(size * 2).fill(-1)
    this.values = new Int32Array(size * 2)
  }

  private slot(left: number, right: number): number {
    let slot = Math.imul(Math.imul(left, 0x9e3779b1) ^ right, 0x85ebca6b)
    slot = (slot ^ (slot >>> 15)) & this.mask
    while (this.pairs[slot * 2] !== -1 && (this.pairs[slot * 2] !== left || this.pairs[slot * 2 + 1] !== right))
      slot = (slot + 1) & this.mask
    return slot
  }

  /** `left` and `right` are not negative. A pair that is there already gets the new values. */
  set(left: number, right: number, first: number, second: number): void {
    const at = this.slot(left, right) * 2
    if (this.pairs[at] === -1 && ++this.count * 2 > this.mask) {
      this.grow()
      this.count++
      this.put(this.slot(left, right) * 2, left, right, first, second)
    } else this.put(at, left, right, first, second)
  }

  private put(at: number, left: number, right: number, first: number, second: number): void {
    this.pairs[at] = left
    this.pairs[at + 1] = right
    this.values[at] = first
    this.values[at + 1] = second
  }

  private grow(): void {
    const larger = new PairTable(this.mask + 1)
    for (let at = 0; at < this.pairs.length; at += 2) {
      if (this.pairs[at] !== -1) larger.set(this.pairs[at]!, this.pairs[at + 1]!, this.values[at]!, this.values[at + 1]!)
    }
    this.mask = larger.mask
    this.pairs = larger.pairs
    this.values = larger.values
    this.count = larger.count
  }

  /** Where the values of a pair lie, or -1. */
  find(left: number, right: number): number {
    const at = this.slot(left, right) * 2
    return this.pairs[at] === -1 ? -1 : at
  }

  first(at: number): number {
    return this.values[at]!
  }

  second(at: number): number {
    return this.values[at + 1]!
  }

  setSecond(at: number, value: number): void {
    this.values[at + 1] = value
  }
}
