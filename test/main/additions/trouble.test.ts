// What can go wrong with an addition, and what it says and does then.
import { describe, expect, it } from "vitest"
import { forkHost } from "../../../main/engine/fork.ts"
import { AppError } from "../../../shared/schema/error.ts"
import { addingService, hubModelOf, testHub } from "../services/adding.ts"
import { FakeEngine } from "../services/fake-engine.ts"
import { asked, quantizedWhole, repository, sharded, shards, tensorsIn } from "../services/tiny-llama.ts"

process.env.NIBBLE_CHECKED = "1"

describe("trouble", () => {
  it("of a gated model leads to its page, and goes on when its terms are accepted", async () => {
    const account = { token: "hf_right", name: "someone" }
    const hub = await testHub({ repositories: [{ ...repository, access: "gated" }], account })
    const adding = await addingService({ hub, startHost: new FakeEngine().startHost })
    const { id } = await adding.fromHub("org/tiny-llama", { check: false })
    await adding.start(id)
    expect(await adding.reached(id)).toMatchObject({
      state: "failed",
      error: { code: "no_permission" },
      helpUrl: `${hub.endpoint}/org/tiny-llama`,
    })
  })

  it("of a model whose files are not shown either", async () => {
    const hub = await testHub({ repositories: [repository] })
    let isOpen = false
    const model = (name: string) => (isOpen ? hubModelOf(hub, name, sharded) : { ...hubModelOf(hub, name, null), files: [] })
    const adding = await addingService({ hub, startHost: new FakeEngine().startHost, model })
    const draft = await adding.fromHub("org/tiny-llama", { check: false })
    expect(draft).toMatchObject({ state: "draft", path: "", files: [], helpUrl: `${hub.endpoint}/org/tiny-llama` })
    await adding.start(draft.id)
    expect(await adding.reached(draft.id)).toMatchObject({ state: "failed", error: { code: "no_permission" }, helpUrl: expect.any(String) })
    isOpen = true
    await adding.start(draft.id)
    const done = await adding.reached(draft.id)
    expect(done).toMatchObject({ state: "done", error: null, helpUrl: null, path: sharded })
    expect(done.files).toHaveLength(8)
  })

  it("of a disk that is too small is told with the numbers, before anything is downloaded", async () => {
    const hub = await testHub({ repositories: [repository] })
    const requireVolumes = async () =>
      Promise.reject(new AppError("no_space", "Adding it needs 9.0 GiB, where 1.0 GiB are free.", "Free 8.0 GiB there."))
    const spacePerVolume = async () => [{ folder: "", needs: [], neededBytes: 9, freeBytes: 1 }]
    const adding = await addingService({ hub, startHost: new FakeEngine().startHost, transfers: { requireVolumes, spacePerVolume } })
    const { id } = await adding.fromHub("org/tiny-llama")
    await adding.start(id)
    const failed = await adding.reached(id)
    expect(failed).toMatchObject({ state: "failed", error: { code: "no_space", message: expect.stringContaining("9.0 GiB") } })
    expect(failed.error?.hint).toMatch(/^Free 8.0 GiB there\. .*Storage/)
    expect(asked(hub.requests)).toEqual([0, 0, 0])
  })

  it("of a bad byte on the way costs one more try", async () => {
    const hub = await testHub({ repositories: [repository] })
    hub.faults.add({ match: shards[1] ?? "", kind: "corrupt", at: 50_000, times: 1 })
    const adding = await addingService({ hub, startHost: forkHost })
    const { id } = await adding.fromHub("org/tiny-llama", { format: "nf4", check: false })
    await adding.start(id)
    expect(await adding.reached(id)).toMatchObject({ state: "done", error: null })
    expect(await tensorsIn(adding.registry.list()[0]?.path ?? "")).toEqual(await quantizedWhole("nf4"))
  })

  it("of the check is no failure of the addition", async () => {
    const hub = await testHub({ repositories: [repository] })
    const adding = await addingService({ hub, startHost: new FakeEngine().startHost })
    const { id } = await adding.fromHub("org/tiny-llama", { check: true })
    await adding.start(id)
    expect(await adding.reached(id)).toMatchObject({ state: "done", check: { state: "skipped", reason: "not in the fake engine" } })
  })
})
