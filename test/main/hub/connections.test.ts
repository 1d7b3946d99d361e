import { expect, it } from "vitest"
import { createConnections } from "../../../main/hub/connections.ts"

const never = new AbortController().signal
const soon = () => new Promise((resolve) => setImmediate(resolve))

it("gives a free connection to the first in rank, and of these to who waits longest", async () => {
  const connections = createConnections(2)
  const order: string[] = []
  const ask = (name: string, rank: number) =>
    connections.take(rank, never).then((release) => {
      order.push(name)
      return release
    })
  const [first, second] = await Promise.all([ask("a", 5), ask("b", 5)])
  const waiting = [ask("c", 2), ask("d", 1), ask("e", 2)]
  await soon()
  expect(order).toEqual(["a", "b"])
  first()
  // Giving back twice frees no second one.
  first()
  await soon()
  expect(order).toEqual(["a", "b", "d"])
  second()
  await soon()
  expect(order).toEqual(["a", "b", "d", "c"])
  ;(await waiting[1])?.()
  await soon()
  expect(order).toEqual(["a", "b", "d", "c", "e"])
})

it("is not kept by who stopped waiting", async () => {
  const connections = createConnections(1)
  const release = await connections.take(0, never)
  const stop = new AbortController()
  const left = connections.take(0, stop.signal)
  const stays = connections.take(0, never)
  stop.abort()
  await expect(left).rejects.toMatchObject({ code: "cancelled" })
  release()
  await stays
  await expect(connections.take(0, stop.signal)).rejects.toMatchObject({ code: "cancelled" })
})
