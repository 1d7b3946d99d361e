import { ClipboardCopy } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { QuantizedFormat } from "../../../shared/schema/format.ts"
import { QuantizedFormat as formats } from "../../../shared/schema/format.ts"
import { Settings } from "../../../shared/schema/settings.ts"
import { formatCount } from "../../lib/format.ts"
import { useMain } from "../../lib/mirror.ts"
import { Button } from "../../ui/button.tsx"
import { NumberField } from "../../ui/field.tsx"
import { Segmented } from "../../ui/segmented.tsx"
import { SelectField } from "../../ui/select-field.tsx"
import { SwitchField } from "../../ui/switch-field.tsx"
import { change, copyDiagnostics } from "./actions.ts"
import { DownloadSettings } from "./downloads.tsx"
import { Line, Section } from "./sections.tsx"
import { StorageSettings } from "./storage.tsx"

const { theme: themes, language: languages } = Settings.shape

export function SettingsPage() {
  const { t } = useTranslation()
  const settings = useMain((main) => main.settings)
  const system = useMain((main) => main.system)
  const outOfRange = (min: number, max: number) => t("common.outOfRange", { min: formatCount(min), max: formatCount(max) })
  return (
    <div className="mx-auto max-w-[640px] p-8 pt-5 max-lg:p-6 max-sm:p-4">
      <h1 className="mb-4 flex min-h-8 items-center text-16 font-semibold tracking-title">{t("place.settings")}</h1>
      <Section title={t("settings.appearance")}>
        <Line label={t("settings.theme")}>
          <Segmented
            label={t("settings.theme")}
            value={settings.theme}
            onChange={(theme) => void change({ theme })}
            options={themes.unwrap().options.map((value) => ({ value, label: t(`settings.themeChoice.${value}`) }))}
          />
        </Line>
        <Line label={t("settings.language")}>
          <Segmented
            label={t("settings.language")}
            value={settings.language}
            onChange={(language) => void change({ language })}
            options={languages.unwrap().options.map((value) => ({ value, label: t(`settings.languageChoice.${value}`) }))}
          />
        </Line>
      </Section>
      <Section title={t("settings.running")}>
        <SwitchField
          label={t("settings.loadLast")}
          hint={t("settings.loadLastHint")}
          isOn={settings.loadLastModel}
          onChange={(loadLastModel) => void change({ loadLastModel })}
        />
        <NumberField
          label={t("settings.threads")}
          hint={t("settings.threadsHint", { count: system.cores })}
          value={settings.threads || null}
          min={1}
          max={256}
          placeholder={t("settings.threadsAll", { n: formatCount(system.cores) })}
          outOfRange={outOfRange}
          onCommit={(threads) => void change({ threads: threads ?? 0 })}
        />
        <NumberField
          label={t("settings.context")}
          hint={t("settings.contextHint")}
          value={settings.context || null}
          min={1}
          max={1_048_576}
          placeholder={t("settings.contextAuto")}
          outOfRange={outOfRange}
          onCommit={(context) => void change({ context: context ?? 0 })}
        />
        <details>
          <summary className="text-13 font-medium">{t("settings.int8")}</summary>
          <div className="mt-4 flex flex-col gap-5 border-l-2 border-line pl-4">
            <NumberField
              label={t("settings.int8Threshold")}
              hint={t("settings.int8ThresholdHint")}
              value={settings.int8Threshold}
              min={0}
              max={65_504}
              isDecimal
              placeholder={t("settings.int8ThresholdAuto")}
              outOfRange={(min, max) => t("settings.int8OutOfRange", { min: formatCount(min), max: formatCount(max) })}
              onCommit={(int8Threshold) => void change({ int8Threshold })}
            />
            <SwitchField
              label={t("settings.int8Exact")}
              hint={t("settings.int8ExactHint")}
              isOn={settings.int8Exact}
              onChange={(int8Exact) => void change({ int8Exact })}
            />
          </div>
        </details>
        <SelectField<QuantizedFormat>
          label={t("settings.defaultFormat")}
          hint={t(`format.${settings.defaultFormat}.meaning`)}
          value={settings.defaultFormat}
          onChange={(defaultFormat) => void change({ defaultFormat })}
          options={formats.options.map((value) => ({ value, label: t(`format.${value}.name`), detail: t(`format.${value}.meaning`) }))}
        />
      </Section>
      <DownloadSettings />
      <StorageSettings />
      <Section title={t("settings.about")}>
        <div className="flex flex-wrap items-center gap-3">
          <p className="min-w-[200px] flex-1 text-13 text-ink-2">
            {t("settings.version", { version: system.version, platform: system.platform, isa: system.isa.toUpperCase() })}
          </p>
          <Button icon={ClipboardCopy} onClick={() => void copyDiagnostics()}>
            {t("settings.copyDiagnostics")}
          </Button>
        </div>
        <p className="text-12 leading-prose text-ink-3">{t("settings.diagnosticsHint")}</p>
      </Section>
    </div>
  )
}
