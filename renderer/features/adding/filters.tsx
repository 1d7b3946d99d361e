import { ChevronDown } from "lucide-react"
import { useTranslation } from "react-i18next"
import { HubSort } from "../../../shared/schema/hub.ts"
import { formatLicense } from "../../lib/format.ts"
import { Button } from "../../ui/button.tsx"
import { cx } from "../../ui/class-names.ts"
import { Menu, MenuChoice } from "../../ui/menu.tsx"
import { changeQuery } from "./actions.ts"
import { adding } from "./state.ts"

/** Those that people look for; the hub knows some hundred. */
const licenses = ["apache-2.0", "mit", "llama3.1", "llama3.2", "gemma", "cc-by-nc-4.0", "other"]
const sizes = { any: [0, 0], tiny: [0, 1e9], small: [1e9, 4e9], middle: [4e9, 10e9], large: [10e9, 40e9], huge: [40e9, 0] } as const
type Size = keyof typeof sizes

export function Filters() {
  const { t } = useTranslation()
  const query = adding.use((part) => part.query)
  const size = (Object.keys(sizes) as Size[]).find((one) => sizes[one][0] === query.minParameters && sizes[one][1] === query.maxParameters)
  return (
    <div className="my-3 flex flex-wrap items-center gap-2">
      <Toggle isOn={query.isFittingOnly} onChange={(isFittingOnly) => changeQuery({ isFittingOnly })}>
        {t("adding.filter.fits")}
      </Toggle>
      <Toggle isOn={query.isSupportedOnly} onChange={(isSupportedOnly) => changeQuery({ isSupportedOnly })}>
        {t("adding.filter.supported")}
      </Toggle>
      <Menu
        trigger={
          <Chip>{t("adding.filter.license", { license: query.license ? formatLicense(query.license) : t("adding.filter.any") })}</Chip>
        }
      >
        <MenuChoice
          value={query.license ?? ""}
          onChange={(license) => changeQuery({ license: license || undefined })}
          options={["", ...licenses].map((value) => ({ value, label: value ? formatLicense(value) : t("adding.filter.any") }))}
        />
      </Menu>
      <Menu trigger={<Chip>{t("adding.filter.size", { size: t(`adding.size.${size ?? "any"}`) })}</Chip>}>
        <MenuChoice
          value={size ?? "any"}
          onChange={(next) => changeQuery({ minParameters: sizes[next][0], maxParameters: sizes[next][1] })}
          options={(Object.keys(sizes) as Size[]).map((value) => ({ value, label: t(`adding.size.${value}`) }))}
        />
      </Menu>
      <Menu trigger={<Chip>{t(`adding.sort.${query.sort}`)}</Chip>}>
        <MenuChoice
          value={query.sort}
          onChange={(sort) => changeQuery({ sort })}
          options={HubSort.options.map((value) => ({ value, label: t(`adding.sort.${value}`) }))}
        />
      </Menu>
    </div>
  )
}

const chip = "rounded-full"

function Toggle({ isOn, onChange, children }: { isOn: boolean; onChange(isOn: boolean): void; children: string }) {
  return (
    <Button
      size="small"
      aria-pressed={isOn}
      onClick={() => onChange(!isOn)}
      className={cx(chip, "aria-pressed:border-accent-line! aria-pressed:bg-accent-soft! aria-pressed:text-accent-ink!")}
    >
      {children}
    </Button>
  )
}

function Chip({ children, ...rest }: { children: string }) {
  return (
    <Button size="small" iconAfter={ChevronDown} {...rest} className={chip}>
      {children}
    </Button>
  )
}
