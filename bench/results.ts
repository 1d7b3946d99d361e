// What a run of the bench found, as it is kept in build/bench and bench/baselines.
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { z } from "zod"
import { ratio } from "./statistics.ts"

const Measurement = z.object({
  /** Who ran what: "Nibble nf4", "llama.cpp Q4_0". */
  subject: z.string(),
  threads: z.int(),
  /** Tokens per second, one value a round. */
  prefill: z.array(z.number()),
  decode: z.array(z.number()),
  /** Null where it is not known. */
  weightBytesPerToken: z.number().nullable(),
  loadMs: z.number(),
  /** From the start of the process to the first token. */
  firstTokenMs: z.number(),
  peakBytes: z.number().nullable(),
})
export type Measurement = z.infer<typeof Measurement>

const Results = z.object({
  commit: z.string(),
  date: z.string(),
  cpu: z.string(),
  cores: z.int(),
  isa: z.string(),
  model: z.string(),
  promptTokens: z.int(),
  newTokens: z.int(),
  /** The subject that others are compared with. */
  reference: z.string().nullable(),
  bandwidths: z.array(z.object({ threads: z.int(), values: z.array(z.number()) })),
  /** Parameters per second by format and threads, from 16 bit in the page cache, files written. */
  quantizing: z.array(z.object({ format: z.string(), threads: z.int(), parametersPerSecond: z.array(z.number()) })),
  measurements: z.array(Measurement),
})
export type Results = z.infer<typeof Results>

/** The newest kept results of this processor; null where there are none. */
export function readBaseline(folder: string, { cpu, cores }: Pick<Results, "cpu" | "cores">): Results | null {
  const kept = readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => Results.parse(JSON.parse(readFileSync(join(folder, name), "utf8"))))
    .filter((results) => results.cpu === cpu && results.cores === cores)
  return kept.toSorted((a, b) => a.date.localeCompare(b.date)).at(-1) ?? null
}

/** One sentence per subject whose ratio to the reference changed by more than `tolerance`; tokens/s of two days cannot be compared. */
export function changes(now: Results, before: Results, tolerance = 0.1): string[] {
  const sentences: string[] = []
  for (const one of now.measurements) {
    for (const what of ["prefill", "decode"] as const) {
      const was = relative(before, one, what)
      const is = relative(now, one, what)
      if (was === null || is === null || Math.abs(is / was - 1) <= tolerance) continue
      const times = `${is.toFixed(2)} times ${now.reference} (${was.toFixed(2)} before)`
      sentences.push(`${one.subject}, ${one.threads} threads: ${what} is ${is > was ? "faster" : "slower"}, ${times}.`)
    }
  }
  return sentences
}

function relative({ measurements, reference }: Results, { subject, threads }: Measurement, what: "prefill" | "decode"): number | null {
  const find = (name: string | null) => measurements.find((one) => one.subject === name && one.threads === threads)
  const [one, base] = [find(subject), find(reference)]
  return one && base && one !== base ? ratio(one[what], base[what]) : null
}
