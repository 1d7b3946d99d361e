// The system prompt and the sampling of one chat. Beside the conversation where there is room, else a sheet over it.
import { X } from "lucide-react"
import { useEffect, useState } from "react"
import { useTranslation } from "react-i18next"
import { chatSampling, Overflow, type Sampling } from "../../../shared/schema/chat.ts"
import { formatCount, formatDecimal } from "../../lib/format.ts"
import { Button, IconButton } from "../../ui/button.tsx"
import { Dialog } from "../../ui/dialog.tsx"
import { Field, NumberField } from "../../ui/field.tsx"
import { SelectField } from "../../ui/select-field.tsx"
import { SliderField } from "../../ui/slider-field.tsx"
import { useMedia } from "../../ui/use-media.ts"
import { setUp } from "./actions.ts"
import { chat } from "./state.ts"
import { useChatSettings } from "./use-chat.ts"

export function SettingsPanel({ chatId }: { chatId: string | null }) {
  const { t } = useTranslation()
  const isOpen = chat.use((part) => part.isPanelOpen)
  const hasRoom = useMedia("(min-width: 1100px)")
  const close = () => chat.update({ isPanelOpen: false })
  if (!hasRoom) {
    return (
      <Dialog isOpen={isOpen} onClose={close} title={t("chat.panel.title")} closeLabel={t("common.close")} place="right">
        <Fields chatId={chatId} />
      </Dialog>
    )
  }
  if (!isOpen) return null
  return (
    <aside aria-label={t("chat.panel.title")} className="w-[288px] flex-none overflow-auto border-l border-line px-4 py-3">
      <header className="mb-2 flex items-center">
        <h2 className="flex-1 text-14 font-semibold">{t("chat.panel.title")}</h2>
        <IconButton icon={X} label={t("common.close")} onClick={close} />
      </header>
      <Fields chatId={chatId} />
    </aside>
  )
}

function Fields({ chatId }: { chatId: string | null }) {
  const { t } = useTranslation()
  const { system, sampling, overflow } = useChatSettings(chatId)
  const change = (part: Partial<Sampling>) => void setUp({ sampling: { ...sampling, ...part } })
  const off = (isOff: (value: number) => boolean, decimals: number) => (value: number) =>
    isOff(value) ? t("chat.panel.off") : formatDecimal(value, decimals)
  return (
    <div className="flex flex-col gap-4">
      <SystemPrompt value={system} />
      <SliderField
        label={t("chat.panel.temperature")}
        hint={t("chat.panel.temperatureHint")}
        value={sampling.temperature}
        min={0}
        max={2}
        step={0.05}
        show={(value) => formatDecimal(value, 2)}
        onCommit={(temperature) => change({ temperature })}
      />
      <SliderField
        label={t("chat.panel.topP")}
        value={sampling.topP}
        min={0.05}
        max={1}
        step={0.05}
        show={off((value) => value >= 1, 2)}
        onCommit={(topP) => change({ topP })}
      />
      <SliderField
        label={t("chat.panel.topK")}
        value={sampling.topK}
        min={0}
        max={200}
        step={1}
        show={off((value) => value === 0, 0)}
        onCommit={(topK) => change({ topK })}
      />
      <SliderField
        label={t("chat.panel.minP")}
        value={sampling.minP}
        min={0}
        max={0.5}
        step={0.01}
        show={off((value) => value === 0, 2)}
        onCommit={(minP) => change({ minP })}
      />
      <SliderField
        label={t("chat.panel.repeatPenalty")}
        value={sampling.repeatPenalty}
        min={1}
        max={2}
        step={0.01}
        show={off((value) => value === 1, 2)}
        onCommit={(repeatPenalty) => change({ repeatPenalty })}
      />
      <NumberField
        label={t("chat.panel.maxNewTokens")}
        value={sampling.maxNewTokens}
        min={1}
        max={1_000_000}
        outOfRange={(min, max) => t("common.outOfRange", { min: formatCount(min), max: formatCount(max) })}
        onCommit={(value) => value !== null && change({ maxNewTokens: value })}
      />
      <NumberField
        label={t("chat.panel.seed")}
        hint={t("chat.panel.seedHint")}
        placeholder={t("chat.panel.seedRandom")}
        value={sampling.seed}
        min={0}
        max={Number.MAX_SAFE_INTEGER}
        outOfRange={(min, max) => t("common.outOfRange", { min: formatCount(min), max: formatCount(max) })}
        onCommit={(seed) => change({ seed })}
      />
      <SelectField<Overflow>
        label={t("chat.overflow.title")}
        value={overflow}
        onChange={(value) => void setUp({ overflow: value })}
        options={Overflow.options.map((value) => ({ value, label: t(`chat.overflowChoice.${value}`) }))}
      />
      <Button kind="ghost" size="small" className="-ml-2.5 self-start" onClick={() => change(chatSampling)}>
        {t("chat.panel.defaults")}
      </Button>
    </div>
  )
}

function SystemPrompt({ value }: { value: string }) {
  const { t } = useTranslation()
  const [draft, setDraft] = useState(value)
  useEffect(() => setDraft(value), [value])
  return (
    <Field label={t("chat.panel.system")} hint={t("chat.panel.systemHint")}>
      <textarea
        aria-label={t("chat.panel.system")}
        value={draft}
        placeholder={t("chat.panel.systemPlaceholder")}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={() => draft !== value && void setUp({ system: draft })}
        className="field-sizing-content block max-h-[200px] min-h-[72px] w-full resize-none rounded-control border border-line-strong bg-raised px-2.5 py-2 text-13 leading-prose outline-none placeholder:text-ink-3 focus:border-accent"
      />
    </Field>
  )
}
