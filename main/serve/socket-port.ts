// A WebSocket as the Port that serve() and connect() speak through: JSON text, one message each.
import type { WebSocket } from "ws"
import type { Port } from "../../shared/rpc.ts"

/** Streams wait for their reader (the window of serve()), so more than this unread means a page that only asks. */
const mostUnread_bytes = 64 * 2 ** 20

/** Close codes of RFC 6455: a kind of data we do not take; data that is not what it says it is. */
const unsupportedData = 1003
const invalidData = 1007

export function socketPort(socket: WebSocket): Port {
  return {
    post(message) {
      if (socket.readyState !== socket.OPEN) return
      if (socket.bufferedAmount > mostUnread_bytes) socket.terminate()
      else socket.send(JSON.stringify(message))
    },
    onMessage(listener) {
      socket.on("message", (data, isBinary) => {
        if (isBinary) return socket.close(unsupportedData)
        let message: unknown
        try {
          message = JSON.parse(String(data))
        } catch {
          return socket.close(invalidData)
        }
        listener(message)
      })
    },
    onClose(listener) {
      socket.once("close", () => listener())
    },
  }
}
