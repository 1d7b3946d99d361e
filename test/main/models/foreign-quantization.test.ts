// Checkpoints of other tools are refused by the name of their method, whether config.json or only the tensors give them away.
import { expect, test } from "vitest"
import { refuseForeign } from "../../../main/models/foreign-quantization.ts"
import type { FileTensor } from "../../../main/models/tensors.ts"
import { refusal } from "./made-files.ts"

function tensor(name: string): FileTensor {
  return { name, dtype: "I32", encoding: null, shape: [8, 8], data: { file: 0, offset: 0, bytes: 256 } }
}

for (const [method, name] of [
  ["gptq", "GPTQ"],
  ["awq", "AWQ"],
  ["compressed-tensors", "compressed-tensors"],
  ["torchao", "torchao"],
  ["fp8", "FP8"],
  ["hqq", "HQQ"],
  ["mxfp4", "MXFP4"],
]) {
  test(`config.json says ${method}`, async () => {
    expect(await refusal(() => refuseForeign({ quantization_config: { quant_method: method } }, null))).toMatchObject({
      code: "unsupported",
      message: expect.stringMatching(new RegExp(`was quantized with .*${name} \\(\`${method}\`\\).*: choose (a|the) `)),
    })
  })
}

test("a method that nobody knows yet", async () => {
  expect((await refusal(() => refuseForeign({ quantization_config: { quant_method: "x".repeat(90) } }, null))).message).toContain(
    `with \`${"x".repeat(40)}\`,`,
  )
  expect((await refusal(() => refuseForeign({ quantization_config: { bits: 4 } }, null))).message).toContain("`unknown`")
})

for (const [end, method] of [
  ["g_idx", "gptq"],
  ["qzeros", "awq"],
  ["weight_packed", "compressed-tensors"],
  ["weight_scale_inv", "fp8"],
  ["weight_scale_2", "modelopt"],
  ["W_q", "hqq"],
  ["_weight_qdata", "torchao"],
  ["weight._data", "quanto"],
]) {
  test(`no word in config.json, but tensors named ${end}`, async () => {
    const tensors = [tensor("model.layers.0.q_proj.weight"), tensor(`model.layers.0.q_proj.${end}`)]
    expect((await refusal(() => refuseForeign({}, tensors))).message).toMatch(
      new RegExp(`\`${method}\`\\) \\(it has model.layers.0.q_proj.${end}\\)`),
    )
  })
}

test("bitsandbytes and plain weights are not foreign", () => {
  const plain = [tensor("model.layers.0.q_proj.weight"), tensor("model.layers.0.q_proj.weight.absmax")]
  expect(() => refuseForeign({}, plain)).not.toThrow()
  expect(() => refuseForeign({ quantization_config: { quant_method: "bitsandbytes" } }, plain)).not.toThrow()
  // As transformers wrote it before there was a name of the method.
  expect(() => refuseForeign({ quantization_config: { load_in_8bit: true } }, plain)).not.toThrow()
})
