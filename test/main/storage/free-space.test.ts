import { expect, it } from "vitest"
import { freeBytes, requireSpace } from "../../../main/storage/free-space.ts"
import { scratchFolder } from "../scratch.ts"

it("asks the disk, and says both numbers where there is too little", async () => {
  const folder = scratchFolder()
  expect(await freeBytes(folder)).toBeGreaterThan(0)
  await requireSpace(folder, 1, "This")
  await expect(requireSpace(folder, 2_500_000_000, "Copying Foo", async () => 12e6)).rejects.toMatchObject({
    code: "no_space",
    message: `Copying Foo needs 2.3 GiB in ${folder}, and 11.4 MiB are free there.`,
  })
})
