// What few change: which modules stay, thresholds, types, what is checked afterwards.
import { useTranslation } from "react-i18next"
import type { Addition, AdditionOptions } from "../../../shared/schema/addition.ts"
import { ComputeType, QuantizedFormat } from "../../../shared/schema/format.ts"
import { formatCount, formatName } from "../../lib/format.ts"
import { NumberField, TextField } from "../../ui/field.tsx"
import { SelectField } from "../../ui/select-field.tsx"
import { SwitchField } from "../../ui/switch-field.tsx"
import { changeOptions } from "./actions.ts"

const blockSizes = [32, 64, 128, 256, 512, 1024, 2048, 4096] as const

export function Advanced({ addition }: { addition: Addition }) {
  const { t } = useTranslation()
  const { options } = addition
  const change = (difference: { [Key in keyof AdditionOptions]?: AdditionOptions[Key] | undefined }) =>
    void changeOptions(addition, difference as Partial<AdditionOptions>)
  const isQuantized = options.format !== "stored"
  if (!isQuantized) return null
  const rest = [
    { value: "", label: t("adding.advanced.sixteen") },
    ...QuantizedFormat.options.map((value) => ({ value, label: formatName(value) })),
  ]
  return (
    <details className="mt-4 rounded-card border border-line bg-card px-4 py-3">
      <summary className="text-13 font-medium">{t("adding.advanced.title")}</summary>
      <div className="mt-4 grid grid-cols-2 gap-x-8 gap-y-5 max-sm:grid-cols-1">
        <SelectField
          label={t("adding.advanced.embeddings")}
          hint={t("adding.advanced.embeddingsHint")}
          value={options.embeddings ?? ""}
          options={rest}
          onChange={(value) => change({ embeddings: QuantizedFormat.safeParse(value).data })}
        />
        <SelectField
          label={t("adding.advanced.experts")}
          hint={t("adding.advanced.expertsHint")}
          value={options.experts ?? ""}
          options={rest}
          onChange={(value) => change({ experts: QuantizedFormat.safeParse(value).data })}
        />
        {options.format === "int8" ? (
          <NumberField
            label={t("settings.int8Threshold")}
            hint={t("adding.advanced.thresholdHint")}
            value={options.threshold}
            min={0}
            max={65_504}
            isDecimal
            outOfRange={(min, max) => t("settings.int8OutOfRange", { min: formatCount(min), max: formatCount(max) })}
            onCommit={(threshold) => change({ threshold: threshold ?? 6 })}
          />
        ) : (
          <SelectField
            label={t("adding.advanced.block")}
            hint={t("adding.advanced.blockHint")}
            value={String(options.blockSize)}
            options={blockSizes.map((size) => ({ value: String(size), label: formatCount(size) }))}
            onChange={(value) => change({ blockSize: blockSizes.find((size) => String(size) === value) ?? 64 })}
          />
        )}
        <SelectField
          label={t("adding.advanced.compute")}
          hint={t("adding.advanced.computeHint")}
          value={options.computeDtype ?? ""}
          options={[
            { value: "", label: t("adding.advanced.computeAuto") },
            ...ComputeType.options.map((value) => ({ value, label: formatName(value) })),
          ]}
          onChange={(value) => change({ computeDtype: ComputeType.safeParse(value).data })}
        />
        <TextField
          label={t("adding.advanced.skip")}
          hint={t("adding.advanced.skipHint")}
          value={options.skipModules?.join(", ") ?? ""}
          placeholder={t("adding.advanced.skipDefault")}
          isMono
          onCommit={(text) => {
            const names = text.split(/[\s,]+/).filter(Boolean)
            change({ skipModules: names.length > 0 ? names : undefined })
          }}
        />
        {addition.source.kind === "hub" && (
          <SwitchField
            label={t("settings.keepOriginals")}
            hint={t("settings.keepOriginalsHint")}
            isOn={options.keepOriginals}
            onChange={(keepOriginals) => change({ keepOriginals })}
          />
        )}
        <CheckOptions options={options} change={change} />
      </div>
    </details>
  )
}

export function CheckOptions({
  options,
  change,
}: {
  options: AdditionOptions
  change(difference: { [Key in keyof AdditionOptions]?: AdditionOptions[Key] | undefined }): void
}) {
  const { t } = useTranslation()
  const others = QuantizedFormat.options.filter((format) => format !== options.format)
  return (
    <div className="flex flex-col gap-4">
      <SwitchField
        label={t("adding.check.on")}
        hint={t("adding.check.hint")}
        isOn={options.check}
        onChange={(check) => change({ check })}
      />
      {options.check && (
        <>
          <fieldset>
            <legend className="mb-1.5 text-12 font-medium text-ink-3">{t("adding.check.compare")}</legend>
            <div className="flex flex-wrap gap-x-4 gap-y-1.5 text-13">
              {others.map((format) => {
                const isOn = options.compareWith.includes(format)
                return (
                  <label key={format} className="flex items-center gap-1.5">
                    <input
                      type="checkbox"
                      checked={isOn}
                      disabled={!isOn && options.compareWith.length >= 2}
                      onChange={() =>
                        change({
                          compareWith: isOn ? options.compareWith.filter((one) => one !== format) : [...options.compareWith, format],
                        })
                      }
                      className="size-4 accent-accent"
                    />
                    {formatName(format)}
                  </label>
                )
              })}
            </div>
          </fieldset>
          <TextField
            label={t("adding.check.text")}
            hint={t("adding.check.textHint")}
            value={options.checkText ?? ""}
            placeholder={t("adding.check.bundled")}
            isMono
            onCommit={(text) => change({ checkText: text.trim() || undefined })}
          />
        </>
      )}
    </div>
  )
}
