import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { expect, it } from "vitest"
import { runApp } from "./running-app.ts"

it("changes what is named and nothing else, tells it, and keeps it", async () => {
  const { client, events, restart } = await runApp()
  await client["settings.update"]({ theme: "dark", threads: 3 })
  const after = await client["settings.update"]({ language: "zh" })
  expect(after).toMatchObject({ theme: "dark", threads: 3, language: "zh", defaultFormat: "nf4-dq" })
  expect(events.filter(({ type }) => type === "settings").at(-1)).toEqual({ type: "settings", settings: after })
  const again = await restart()
  expect((await again.client["app.snapshot"](undefined)).settings).toEqual(after)
})

it("refuses values that are out of range, and an address that is none", async () => {
  const { client } = await runApp()
  await expect(client["settings.update"]({ threads: 100_000 })).rejects.toMatchObject({ code: "bad_input" })
  await expect(client["settings.update"]({ hubEndpoint: "not an address" })).rejects.toMatchObject({ code: "bad_input" })
  await expect(client["settings.update"]({ proxy: "socks4://127.0.0.1:1080" })).rejects.toMatchObject({ code: "bad_input" })
  expect((await client["app.snapshot"](undefined)).settings).toMatchObject({ threads: 0, hubEndpoint: "", proxy: "" })
})

it("starts with the default of a setting that is damaged, and says so", async () => {
  const first = await runApp()
  await first.client["settings.update"]({ theme: "dark", threads: 4, language: "en" })
  await first.app.close()
  const database = new DatabaseSync(join(first.home, "nibble.db"))
  database.exec(`UPDATE settings SET value = '"pink"' WHERE name = 'theme'; UPDATE settings SET value = '{broken' WHERE name = 'threads';
    INSERT INTO settings VALUES ('of a newer program', '1')`)
  database.close()
  const second = await runApp({ home: first.home })
  expect((await second.client["app.snapshot"](undefined)).settings).toMatchObject({ theme: "system", threads: 0, language: "en" })
  expect(second.warnings).toHaveLength(2)
  expect(second.warnings.join()).toMatch(/"theme".*pink.*"threads"/s)
})
