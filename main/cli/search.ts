// nibble search: models on the hub that can run here.
import type { HubModelSummary } from "../../shared/schema/hub.ts"
import { HubQuery, HubSort } from "../../shared/schema/hub.ts"
import { bytes } from "../sizes.ts"
import { defineCommand } from "./command.ts"
import { plainText } from "./plain-text.ts"
import { unused, withApp } from "./with-app.ts"

export const search = defineCommand({
  name: "search",
  summary: "Models on the hub that can run here",
  positionals: ["TEXT"],
  options: {
    all: { type: "flag", help: "Also those that cannot be used here, with the reason" },
    fits: { type: "flag", help: "Only those that fit this computer" },
    license: { type: "text", value: "ID", help: "As the hub names it: apache-2.0, mit …" },
    sort: { type: "choice", value: "ORDER", choices: HubSort.options, help: "Default downloads" },
  },
  examples: ["search llama", "search qwen --fits --license apache-2.0", "search smollm --json"],
  notes: [
    "Memory is estimated from the number of parameters: nibble plan has the exact one. HF_ENDPOINT and HF_TOKEN count.",
    "Shows the first 24 that match.",
  ],
  async run(values, [text = ""], context) {
    return withApp(context, async (app) => {
      const query = HubQuery.parse({
        ...{ text, isSupportedOnly: !values.all, isFittingOnly: values.fits ?? false },
        ...(values.license ? { license: values.license } : {}),
        ...(values.sort ? { sort: values.sort } : {}),
      })
      const { models, endpoint } = await app.handlers["hub.search"](query, { ...unused, signal: context.signal })
      context.output.line(models.length > 0 ? models.map(lineOf).join("\n") : `Nothing on ${endpoint} matches.`)
      return { endpoint, results: models }
    })
  },
})

function lineOf({ name, parameters, license, access, downloads, best, verdict, reason }: HubModelSummary): string {
  const facts = [
    parameters === null ? null : `${(parameters / 1e9).toFixed(parameters < 1e10 ? 2 : 1)} B`,
    license,
    access === "open" ? null : access,
    `${downloads} downloads`,
    reason ?? (best ? `${verdict === "too_big" ? "too big: " : ""}${best.format} in about ${bytes(best.bytes)}` : null),
  ]
  return `${plainText(name)}\n    ${facts.flatMap((fact) => (fact === null ? [] : [plainText(fact)])).join(" · ")}`
}
