// Two ends of a connection in memory. As over a WebSocket, what is posted passes through JSON and arrives later.
import type { Port } from "../../../shared/rpc.ts"

export interface ClosablePort extends Port {
  close(): void
}

export function portPair(): [ClosablePort, ClosablePort] {
  const ends = [0, 1].map(() => ({ onMessage: (_: unknown) => {}, onClose: () => {} }))
  let isOpen = true
  const makePort = (mine: 0 | 1): ClosablePort => ({
    post(message) {
      const text = JSON.stringify(message)
      queueMicrotask(() => isOpen && ends[1 - mine]?.onMessage(JSON.parse(text)))
    },
    onMessage(listener) {
      ends[mine]!.onMessage = listener
    },
    onClose(listener) {
      ends[mine]!.onClose = listener
    },
    close() {
      isOpen = false
      for (const end of ends) end.onClose()
    },
  })
  return [makePort(0), makePort(1)]
}
