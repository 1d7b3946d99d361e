import { renderToStaticMarkup } from "react-dom/server"
import { describe, expect, test } from "vitest"
import { Prose } from "../../../renderer/parts/prose.tsx"
import "../../../renderer/lib/i18n.ts"

const html = (text: string) => renderToStaticMarkup(<Prose text={text} />)

describe("a reply in Markdown", () => {
  test("has no raw HTML", () => {
    const page = html("<script>alert(1)</script>\n\n<b onclick='x()'>bold</b> <iframe src='https://example.com'></iframe>")
    expect(page).not.toMatch(/<script|<b[ >]|<iframe|onclick/)
    expect(page).toContain("bold")
  })

  test("opens outside links apart, without telling where from", () => {
    expect(html("[docs](https://example.com/a)")).toMatch(
      /<a [^>]*href="https:\/\/example.com\/a"[^>]*target="_blank"[^>]*rel="noopener noreferrer"/,
    )
  })

  test.each([
    "javascript:alert(1)",
    "mailto:a@example.com",
    "data:text/html,x",
    "file:///etc/passwd",
    "/rpc",
    "#/settings",
    "JaVaScRiPt:alert(1)",
  ])("does not link to %s", (address) => {
    const page = html(`[click](${address})`)
    expect(page).not.toContain("<a")
    expect(page).toContain("click")
  })

  test("loads no image and says what it was", () => {
    const page = html("![a cat](https://example.com/cat.png)")
    expect(page).not.toContain("<img")
    expect(page).toContain("a cat")
  })

  test("has code with its language, its words colored and its text whole", () => {
    const page = html('```python\ndef f():\n    return "<x>"\n```')
    expect(page).toContain("python")
    expect(page).toContain('class="hljs-keyword">def</span>')
    expect(page).toContain("&lt;x&gt;")
  })

  test("has tables, lists and tasks", () => {
    const page = html("| a | b |\n| - | -: |\n| 1 | 2 |\n\n- [x] done\n- [ ] open")
    expect(page).toContain("<table")
    expect(page).toContain("<th>a</th>")
    expect(page).not.toContain("<input")
    expect(page.match(/role="img"/g)).toHaveLength(2)
  })

  test("puts its headings below that of the page", () => {
    expect(html("# Head")).toContain("<h2>Head</h2>")
  })
})
