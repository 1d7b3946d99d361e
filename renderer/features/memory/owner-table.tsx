import type { ReactNode } from "react"
import { useTranslation } from "react-i18next"
import type { MemorySnapshot } from "../../../shared/schema/system.ts"
import { formatCount, formatName } from "../../lib/format.ts"
import { useMain } from "../../lib/mirror.ts"
import { type BarOwner, OwnerSwatch } from "../../ui/memory-bar.tsx"
import { mebibytes } from "./figures.ts"
import type { Division, OwnShare } from "./owners.ts"

/** Less than this beside what was set aside is not worth a word. */
const worthSaying_bytes = 2 ** 20

/** The bar in words and figures: Nibble by owner, and the rest of the memory. */
export function OwnerTable({ division, memory }: { division: Division; memory: MemorySnapshot }) {
  const { t } = useTranslation()
  const { own, nibbleBytes, otherBytes, reserveBytes, freeBytes } = division
  const others = memory.others
    .filter(({ bytes }) => bytes >= worthSaying_bytes)
    .slice(0, 3)
    .map(({ name, bytes }) => `${name} ${mebibytes(bytes)}`)
  return (
    <table className="mt-2.5 w-full border-collapse text-13">
      <caption className="sr-only">{t("memory.byOwner")}</caption>
      <thead className="text-12 text-ink-3">
        <tr>
          <th scope="col" className="pb-1 text-left font-normal">
            {t("memory.ownerHead")}
          </th>
          <td />
          <th scope="col" className="pb-1 text-right font-normal">
            MiB
          </th>
        </tr>
      </thead>
      <tbody>
        {own.map((share) => (
          <Row key={share.owner} owner={share.owner} bytes={share.bytes} detail={<Detail share={share} memory={memory} />} />
        ))}
        <tr className="border-t border-line font-semibold">
          <th scope="row" className="h-7 text-left">
            Nibble
          </th>
          <td />
          <td className="num text-right">{mebibytes(nibbleBytes)}</td>
        </tr>
        <Row isQuiet owner="other" bytes={otherBytes} detail={others.join(t("memory.comma"))} />
        <Row isQuiet owner="reserve" bytes={reserveBytes} detail={t("memory.reserveDetail")} />
        <Row isQuiet owner="free" bytes={freeBytes} />
      </tbody>
    </table>
  )
}

function Row({ owner, bytes, detail, isQuiet = false }: { owner: BarOwner; bytes: number; detail?: ReactNode; isQuiet?: boolean }) {
  const { t } = useTranslation()
  return (
    <tr className={isQuiet ? "text-ink-2" : undefined}>
      <th scope="row" className="h-[22px] text-left font-normal whitespace-nowrap">
        <span className="flex items-center gap-2.5">
          <OwnerSwatch owner={owner} />
          {t(`memory.owner.${owner}`)}
        </span>
      </th>
      <td className="num w-full max-w-0 truncate pl-3 text-12 text-ink-3">{detail}</td>
      <td className="num pl-2 text-right">{mebibytes(bytes)}</td>
    </tr>
  )
}

/** What is behind a figure: how much was set aside, the format, whose memory it is. */
function Detail({ share: { owner, bytes, planned }, memory }: { share: OwnShare; memory: MemorySnapshot }) {
  const { t } = useTranslation()
  const model = useMain((main) => (main.load.state === "ready" ? main.load.model : null))
  if (owner === "context")
    return t("memory.contextDetail", { engine: mebibytes(bytes - memory.programBytes), program: mebibytes(memory.programBytes) })
  const isPartly = planned !== null && planned - bytes >= worthSaying_bytes
  const words: Partial<Record<OwnShare["owner"], string>> = model
    ? { weights: formatName(model.format), kv: t("memory.tokens", { n: formatCount(model.context) }) }
    : {}
  const about = words[owner]
  const aside = isPartly ? t("memory.setAside", { size: mebibytes(planned) }) : undefined
  return [about, aside].filter((one) => one !== undefined).join(t("memory.comma"))
}
