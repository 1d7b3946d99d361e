// In which of the forms that an architecture knows a checkpoint holds its experts.
import type { NativeLayer } from "../engine/native-decoder.ts"
import type { ExpertsForm, TensorNames } from "./architectures/architecture.ts"

/** Null: the architecture has no experts. `stored`: names of the checkpoint's tensors, null where none are known. */
export function expertsForm(names: TensorNames, layers: NativeLayer[], stored: ReadonlySet<string> | null): ExpertsForm | null {
  const [usual = null, ...others] = names.experts
  const layer = layers.findIndex(({ hasExperts }) => hasExperts)
  const has = ({ inLayer: { "experts.down": down } }: ExpertsForm) => {
    const name = typeof down === "object" ? down.parameter : `${down?.replace("{e}", "0")}.weight`
    return stored?.has(`${names.prefix}${names.layers}.${layer}.${name}`)
  }
  return usual && !has(usual) ? (others.find(has) ?? usual) : usual
}
