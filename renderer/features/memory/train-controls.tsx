import { useTranslation } from "react-i18next"
import { PlanOptimizer, type TrainPlan } from "../../../shared/schema/plan.ts"
import { formatCount } from "../../lib/format.ts"
import { Segmented } from "../../ui/segmented.tsx"
import { SelectField } from "../../ui/select-field.tsx"
import { SliderField } from "../../ui/slider-field.tsx"
import { SwitchField } from "../../ui/switch-field.tsx"
import { change } from "./actions.ts"

/** Doubling from the first to the last. */
const ranks = [4, 8, 16, 32, 64, 128, 256]
const lengths = [256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768]
const batches = [1, 2, 4, 8, 16, 32]

/** Attention only, as the first LoRA paper had it. A model has some of these names; the others name nothing in it. */
const attention = ["q_proj", "k_proj", "v_proj", "o_proj", "out_proj", "qkv_proj", "query_key_value", "Wqkv", "c_attn"]

export function TrainControls({ plan }: { plan: TrainPlan }) {
  const { t } = useTranslation()
  const set = (difference: Partial<TrainPlan>) => change({ train: { ...plan, ...difference } })
  return (
    <>
      <Steps label={t("memory.rank")} steps={ranks} value={plan.rank} onMove={(rank) => set({ rank })} />
      <Steps
        label={t("memory.sequenceLength")}
        steps={lengths}
        value={plan.sequenceLength}
        show={(n) => t("memory.tokens", { n })}
        onMove={(sequenceLength) => set({ sequenceLength })}
      />
      <Steps label={t("memory.batch")} steps={batches} value={plan.batchSize} onMove={(batchSize) => set({ batchSize })} />
      <SelectField
        label={t("memory.optimizer")}
        value={plan.optimizer}
        options={PlanOptimizer.options.map((value) => ({ value, label: optimizerNames[value] }))}
        onChange={(optimizer) => set({ optimizer })}
      />
      <div>
        <p aria-hidden className="mb-1.5 text-12 font-medium text-ink-3">
          {t("memory.targets")}
        </p>
        <Segmented
          label={t("memory.targets")}
          value={plan.targets === "all-linear" ? "all" : "attention"}
          onChange={(value) => set({ targets: value === "all" ? "all-linear" : attention })}
          options={[
            { value: "all", label: t("memory.targetsAll") },
            { value: "attention", label: t("memory.targetsAttention") },
          ]}
        />
      </div>
      <SwitchField
        label={t("memory.checkpointing")}
        hint={t("memory.checkpointingHint")}
        isOn={plan.gradientCheckpointing}
        onChange={(gradientCheckpointing) => set({ gradientCheckpointing })}
      />
    </>
  )
}

/** Names as the field writes them, the same in every language. */
const optimizerNames: Record<PlanOptimizer, string> = {
  adamw: "AdamW",
  adamw8bit: "AdamW 8-bit",
  "paged-adamw": "Paged AdamW",
  "paged-adamw8bit": "Paged AdamW 8-bit",
  lion: "Lion",
  lion8bit: "Lion 8-bit",
  sgd: "SGD",
}

interface StepsProps {
  label: string
  steps: number[]
  value: number
  show?(formatted: string): string
  onMove(value: number): void
}

/** A slider over few values; one that is none of them stands at the next lower. */
function Steps({ label, steps, value, show = (formatted) => formatted, onMove }: StepsProps) {
  const at = Math.max(
    0,
    steps.findLastIndex((step) => step <= value),
  )
  return (
    <SliderField
      label={label}
      value={at}
      min={0}
      max={steps.length - 1}
      step={1}
      show={(index) => show(formatCount(steps[index] ?? value))}
      onMove={(index) => onMove(steps[index] ?? value)}
    />
  )
}
