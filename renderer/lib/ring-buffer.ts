/** The newest `capacity` values of something fast. Lives outside the store: whoever draws it looks when it draws. */
export class RingBuffer<T> {
  private readonly values: T[] = []
  private next = 0
  readonly capacity: number

  constructor(capacity: number) {
    this.capacity = capacity
  }

  push(value: T): void {
    this.values[this.next] = value
    this.next = (this.next + 1) % this.capacity
  }

  /** The oldest first. */
  toArray(): T[] {
    const isFull = this.values.length === this.capacity
    return isFull ? [...this.values.slice(this.next), ...this.values.slice(0, this.next)] : [...this.values]
  }
}
