import { expect, test } from "vitest"
import { pythonJson, quantizedConfig } from "../../../main/engine/quantized-config.ts"
import type { QuantizeSource } from "../../../main/models/quantize-source.ts"

const source = { dtype: "f16", tensors: [] as QuantizeSource["tensors"] } as QuantizeSource
const options = { path: "a", out: "b", format: "nf4-dq" as const, blockSize: 64 as const, threshold: 6, threads: 0 }

test("numbers stay as they are written, the older name of dtype goes, keys are sorted", () => {
  const text =
    '{"torch_dtype": "float32", "rope_theta": 10000.0, "eps": 1e-05, "big": 12345678901234567890, "b": {"z": 1, "a": [1.0, "é"]}, "__proto__": 1}'
  const lines = quantizedConfig(text, source, options).split("\n")
  expect(lines.slice(0, 11)).toEqual([
    "{",
    '  "__proto__": 1,',
    '  "b": {',
    '    "a": [',
    "      1.0,",
    '      "\\u00e9"',
    "    ],",
    '    "z": 1',
    "  },",
    '  "big": 12345678901234567890,',
    '  "dtype": "float16",',
  ])
  expect(lines).toContain('  "eps": 1e-05,')
  expect(lines).toContain('  "rope_theta": 10000.0')
  expect(lines).toContain('    "bnb_4bit_compute_dtype": "float16",')
  expect(lines).toContain('    "llm_int8_threshold": 6.0,')
})

test("the parts of a model say their dtype too; other objects do not", () => {
  const text = '{"text_config": {"model_type": "llama", "torch_dtype": "float32"}, "rope_parameters": {"rope_theta": 1.0}}'
  const config = JSON.parse(quantizedConfig(text, source, options))
  expect(config.text_config).toEqual({ model_type: "llama", dtype: "float16" })
  expect(config.rope_parameters).toEqual({ rope_theta: 1 })
})

test("a list of skipped modules keeps a tied head in it; what was there before is replaced", () => {
  const list = (skipModules: string[] | undefined, hasTiedHead: boolean, embeddings?: "nf4") => {
    const tensors = hasTiedHead ? [] : [{ name: "lm_head.weight", part: { kind: "head" } }]
    const model = { dtype: "bf16", tensors } as unknown as QuantizeSource
    const wish = { ...options, ...(skipModules ? { skipModules } : {}), ...(embeddings ? { embeddings } : {}) }
    return JSON.parse(quantizedConfig('{"quantization_config": {"quant_method": "gptq"}}', model, wish)).quantization_config
  }
  expect(list(undefined, false).llm_int8_skip_modules).toBeNull()
  // A head that is quantized must not be in the list, and the default one names it.
  expect(list(undefined, false, "nf4").llm_int8_skip_modules).toEqual([])
  expect(list(undefined, true, "nf4").llm_int8_skip_modules).toBeNull()
  expect(list(["q_proj"], true).llm_int8_skip_modules).toEqual(["q_proj", "lm_head"])
  expect(list(["q_proj"], false).llm_int8_skip_modules).toEqual(["q_proj"])
  expect(list(["q_proj"], false).quant_method).toBe("bitsandbytes")
})

test("text as json.dumps writes it", () => {
  expect(pythonJson({ b: [], a: {}, c: "\u007f\u2028😀\n" })).toBe(
    '{\n  "a": {},\n  "b": [],\n  "c": "\\u007f\\u2028\\ud83d\\ude00\\n"\n}\n',
  )
})
