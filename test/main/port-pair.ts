// Two ends of one line in this process. What is posted is copied as between processes, and arrives later, in order.
import type { Port } from "../../shared/rpc.ts"

export interface PairEnd extends Port {
  close(): void
}

export function portPair(): [PairEnd, PairEnd] {
  let isOpen = true
  const closeListeners: (() => void)[] = []
  const close = () => {
    if (!isOpen) return
    isOpen = false
    for (const listener of closeListeners) listener()
  }
  const messageListeners: ((message: unknown) => void)[] = [() => {}, () => {}]
  const end = (mine: 0 | 1): PairEnd => ({
    post(message) {
      if (!isOpen) return
      const copy = structuredClone(message)
      setImmediate(() => {
        if (isOpen) messageListeners[1 - mine]?.(copy)
      })
    },
    onMessage(listener) {
      messageListeners[mine] = listener
    },
    onClose: (listener) => void closeListeners.push(listener),
    close,
  })
  return [end(0), end(1)]
}
