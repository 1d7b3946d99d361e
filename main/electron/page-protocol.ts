// Answers app:// requests with the files of the page, under the content policy.
import { findPageFile } from "../page/files.ts"
import { securityHeaders } from "../page/policy.ts"
import { isOwnAddress, pageAddress } from "./window.ts"

export async function answerPageRequest({ url, method }: { url: string; method: string }, folder: string): Promise<Response> {
  const headers = { ...securityHeaders(), "Cache-Control": "no-cache" }
  if (!isOwnAddress(url) || method !== "GET") return new Response(null, { status: 400, headers })
  const pathname = url.slice(pageAddress.length - 1).replace(/[?#].*$/s, "") || "/"
  const file = await findPageFile(folder, pathname)
  if (!file) return new Response(null, { status: 404, headers })
  return new Response(file.content, { headers: { ...headers, "Content-Type": file.type } })
}
