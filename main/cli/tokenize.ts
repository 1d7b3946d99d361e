// nibble tokenize: with the model's tokenizer alone; no engine, no weights.
import { readFile } from "node:fs/promises"
import { defineCommand } from "./command.ts"
import { chooseModel } from "./model-path.ts"
import { columns } from "./quantities.ts"
import { UsageError } from "./usage-error.ts"

export const tokenize = defineCommand({
  name: "tokenize",
  summary: "Text to token ids and back",
  positionals: ["MODEL"],
  options: {
    text: { type: "text", value: "TEXT", help: "Text to cut into tokens; special tokens in it are recognized" },
    "text-file": { type: "text", value: "FILE", help: "The same from a file (UTF-8)" },
    decode: { type: "ids", value: "1,2,3", help: "Ids to turn into text" },
  },
  examples: ['tokenize SmolLM2-135M-Instruct-nf4-dq --text "Hello there"', "tokenize ./SmolLM2-135M-Instruct --decode 504,3575,282 --json"],
  async run(values, [reference = ""], { output }) {
    const given = [values.text, values["text-file"], values.decode].filter((one) => one !== undefined)
    if (given.length !== 1) throw new UsageError("Give one of --text, --text-file and --decode.")
    const [{ path }, { surveyModel }, { createTokenizer }, { AppError }] = await Promise.all([
      chooseModel(reference),
      import("../models/survey.ts"),
      import("../engine/tokenizer/tokenizer.ts"),
      import("../../shared/schema/error.ts"),
    ])
    const survey = await surveyModel(path)
    const source = survey.tokenizer.load()
    if (!source) throw new AppError("unsupported", `${survey.name} has no tokenizer.`, "Add its tokenizer.json to the folder.")
    const tokenizer = createTokenizer(source)
    const text = values["text-file"] === undefined ? (values.text ?? "") : await readFile(values["text-file"], "utf8")
    const ids = values.decode ?? tokenizer.encode(text, { addSpecial: false })
    const tokens = ids.map((id) => tokenizer.tokenText(id))
    const size = survey.description?.decoder.vocabSize
    const unknown = ids.find((id, i) => (size === undefined ? tokens[i] === "" : id >= size))
    if (unknown !== undefined) throw new AppError("bad_input", `The token id ${unknown} is not in the vocabulary of ${survey.name}.`)
    const decoded = tokenizer.decode(ids, { skipSpecial: false })
    if (values.decode) output.line(decoded)
    else if (ids.length > 0)
      output.line(
        columns(
          ids.map((id, i) => [String(id), JSON.stringify(tokens[i])]),
          [0],
        ),
      )
    output.say(`${ids.length} ${ids.length === 1 ? "token" : "tokens"}`)
    return { ids, tokens, text: decoded }
  },
})
