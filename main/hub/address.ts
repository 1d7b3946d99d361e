// What people write for a model of the hub: "org/name", either with "@revision", or an address from the browser.
import { AppError } from "../../shared/schema/error.ts"

export interface ModelAddress {
  /** "org/name" */
  name: string
  revision: string
  /** A file that the address names, e.g. one of several GGUF files. */
  file: string | null
}

const name = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/
const hosts = /^(www\.)?(huggingface\.co|hf\.co|hf-mirror\.com)$/

/** Null where the text is something else, e.g. words to search for. `endpoint`: of the hub in use; its addresses count too. */
export function parseModelAddress(text: string, endpoint: string): ModelAddress | null {
  const given = text.trim()
  const [plain = "", revision] = given.split(/@(.*)/s)
  if (name.test(plain)) return { name: plain, revision: revision || "main", file: null }
  if (!URL.canParse(given)) return null
  const url = new URL(given)
  const isHub = hosts.test(url.hostname) || (URL.canParse(endpoint) && url.host === new URL(endpoint).host)
  if (!isHub || !/^https?:$/.test(url.protocol)) return null
  const [owner = "", model = "", kind, branch, ...rest] = decodeURIComponent(url.pathname)
    .replace(/^\/+|\/+$/g, "")
    .split("/")
  if (!name.test(`${owner}/${model}`)) return null
  const isAt = (kind === "tree" || kind === "blob" || kind === "resolve" || kind === "commit") && branch
  return { name: `${owner}/${model}`, revision: isAt ? branch : "main", file: isAt && rest.length > 0 ? rest.join("/") : null }
}

export function requireModelAddress(text: string, endpoint: string): ModelAddress {
  const address = parseModelAddress(text, endpoint)
  if (address) return address
  throw new AppError(
    "bad_input",
    `"${text.slice(0, 200)}" names no model of ${endpoint}.`,
    'Write "organization/name", "organization/name@revision", or the address of the model\'s page.',
  )
}
