// The estimate of a list beside the planner's figures for a chat of 8,192 tokens (`nibble capacity`).
import { expect, it } from "vitest"
import { estimateFor } from "../../../main/hub/estimate.ts"

const gib = 2 ** 30
const planned = [
  { name: "Qwen2.5 0.5B", parameters: 0.494e9, bf16: 1.2, "nf4-dq": 0.68 },
  { name: "Llama 3.2 1B", parameters: 1.236e9, bf16: 2.8, "nf4-dq": 1.4 },
  { name: "Llama 3.2 3B", parameters: 3.21e9, bf16: 7.1, "nf4-dq": 3.2 },
  { name: "Mistral 7B", parameters: 7.25e9, bf16: 14.8, "nf4-dq": 5.1 },
  { name: "Llama 3.1 8B", parameters: 8.03e9, bf16: 16.2, "nf4-dq": 6.6 },
  { name: "Qwen2.5 14B", parameters: 14.8e9, bf16: 29.3, "nf4-dq": 11 },
  { name: "Qwen2.5 32B", parameters: 32.8e9, bf16: 63.4, "nf4-dq": 20.3 },
  { name: "Llama 3.3 70B", parameters: 70.6e9, bf16: 134.3, "nf4-dq": 39.7 },
]

it.each(planned)("$name is estimated within 15 % of its plan", ({ parameters, ...sizes }) => {
  const share = (bytes: number | undefined, size: number) => Math.abs((bytes ?? 0) / gib / size - 1)
  expect(share(estimateFor(() => 1e15)({ parameters }).best?.bytes, sizes.bf16)).toBeLessThan(0.15)
  // Where nothing fits, the smallest format stands for how much is missing.
  expect(share(estimateFor(() => 0)({ parameters }).best?.bytes, sizes["nf4-dq"])).toBeLessThan(0.15)
})

it("takes the best format that fits, else one that is tight, else says how much the smallest needs", () => {
  const of8b = (room: number) => estimateFor(() => room * gib)({ parameters: 8.03e9 })
  expect(of8b(24)).toMatchObject({ best: { format: "bf16" }, verdict: "fits" })
  expect(of8b(12)).toMatchObject({ best: { format: "int8" }, verdict: "fits" })
  expect(of8b(7)).toMatchObject({ best: { format: "nf4" }, verdict: "fits" })
  expect(of8b(6.1)).toMatchObject({ best: { format: "nf4-dq" }, verdict: "tight" })
  expect(of8b(4)).toMatchObject({ best: { format: "nf4-dq" }, verdict: "too_big" })
})
