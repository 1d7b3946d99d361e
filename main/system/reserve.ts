/** At least this much of the memory stays free for the system, for what it caches and for programs that grow. */
const least_bytes = 2 ** 29

/**
 * What a plan leaves alone: a twentieth of the memory, at least 0.5 GiB, but never more than a quarter of it. `total_bytes` is the memory of
 * the computer, or the limit of the control group that this program runs in.
 */
export function reserveOf(total_bytes: number): number {
  return Math.round(Math.min(Math.max(least_bytes, total_bytes / 20), total_bytes / 4))
}
