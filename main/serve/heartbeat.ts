// Finds connections whose other end is gone without a word (a suspended laptop, a cut tunnel), so that their calls end.
import type { WebSocketServer } from "ws"

const interval_ms = 30_000

/** Pings each connection; one that has not answered the last ping is ended. Returns a function that stops it. */
export function watchConnections(sockets: WebSocketServer, every_ms = interval_ms): () => void {
  const silent = new WeakSet<object>()
  const timer = setInterval(() => {
    for (const connection of sockets.clients) {
      if (silent.has(connection)) {
        connection.terminate()
        continue
      }
      silent.add(connection)
      connection.once("pong", () => silent.delete(connection))
      connection.ping()
    }
  }, every_ms)
  timer.unref()
  return () => clearInterval(timer)
}
