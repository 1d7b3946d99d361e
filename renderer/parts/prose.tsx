// Markdown as a reply has it: no raw HTML, no remote images, links that show where they lead. Only the last block is parsed again as the
// text grows.
import { ExternalLink, Square, SquareCheck } from "lucide-react"
import { type ComponentProps, isValidElement, memo } from "react"
import { useTranslation } from "react-i18next"
import Markdown, { type Components } from "react-markdown"
import rehypeHighlight from "rehype-highlight"
import remarkGfm from "remark-gfm"
import { CodeBlock } from "../ui/code-block.tsx"
import { Tooltip } from "../ui/tooltip.tsx"
import { markdownBlocks } from "./markdown-blocks.ts"
import "./prose.css"

function Link({ href, children }: ComponentProps<"a">) {
  const isOutside = href !== undefined && /^https?:/i.test(href)
  if (!isOutside) return <span>{children}</span>
  return (
    <Tooltip text={href}>
      <a href={href} target="_blank" rel="noopener noreferrer">
        {children}
        <ExternalLink size={12} strokeWidth={2} aria-hidden className="ml-0.5 inline align-baseline" />
      </a>
    </Tooltip>
  )
}

/** An image would tell its server what is being read: only its words are shown. */
function ImageWords({ alt, src }: ComponentProps<"img">) {
  const { t } = useTranslation()
  return (
    <Tooltip text={typeof src === "string" ? src : ""}>
      <span className="text-ink-3">{t("chat.imageLeftOut", { alt: alt || t("chat.imageWithoutName") })}</span>
    </Tooltip>
  )
}

function Fenced({ children }: ComponentProps<"pre">) {
  const { t } = useTranslation()
  const className = isValidElement<{ className?: string }>(children) ? children.props.className : undefined
  const language = className?.match(/language-(\S+)/)?.[1] ?? null
  return (
    <CodeBlock title={language ?? t("chat.code")} copyLabel={t("chat.copyCode")} copiedLabel={t("chat.copied")}>
      {children}
    </CodeBlock>
  )
}

function ScrollingTable({ children }: ComponentProps<"table">) {
  return (
    <div className="overflow-x-auto rounded-card border border-line">
      <table className="w-full border-collapse">{children}</table>
    </div>
  )
}

/** The boxes of a task list: what they say, not something to click. */
function TaskBox({ checked }: ComponentProps<"input">) {
  const { t } = useTranslation()
  const Icon = checked ? SquareCheck : Square
  return <Icon size={15} strokeWidth={1.75} role="img" aria-label={t(checked ? "chat.taskDone" : "chat.taskOpen")} />
}

// The page's own heading is the title of the chat: those of a reply come below it.
const headings: Components = { h1: "h2", h2: "h3", h3: "h4", h4: "h5", h5: "h6" }
const components: Components = { a: Link, img: ImageWords, pre: Fenced, table: ScrollingTable, input: TaskBox, ...headings }
const remarkPlugins = [remarkGfm]
const rehypePlugins = [rehypeHighlight]

const Block = memo(function Block({ text }: { text: string }) {
  return (
    <div>
      <Markdown skipHtml remarkPlugins={remarkPlugins} rehypePlugins={rehypePlugins} components={components}>
        {text}
      </Markdown>
    </div>
  )
})

/** `isCut`: a mark stands where the text was broken off. */
export const Prose = memo(function Prose({ text, isCut = false }: { text: string; isCut?: boolean }) {
  return (
    <div className={isCut ? "prose prose-cut" : "prose"}>
      {markdownBlocks(text).map((block, at) => (
        // Blocks only grow at the end, so the place is the identity.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <Block key={at} text={block} />
      ))}
    </div>
  )
})
