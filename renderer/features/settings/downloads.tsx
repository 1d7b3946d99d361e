import { useState } from "react"
import { useTranslation } from "react-i18next"
import type { ErrorData } from "../../../shared/schema/error.ts"
import { describeFailure } from "../../lib/failure.ts"
import { formatCount } from "../../lib/format.ts"
import { useMain } from "../../lib/mirror.ts"
import { Button } from "../../ui/button.tsx"
import { NumberField, TextField } from "../../ui/field.tsx"
import { SecretField } from "../../ui/secret-field.tsx"
import { SwitchField } from "../../ui/switch-field.tsx"
import { change, setToken } from "./actions.ts"
import { Section } from "./sections.tsx"

const mebibyte = 1024 ** 2

/** Where models come from, on which way, and how fast. */
export function DownloadSettings() {
  const { t } = useTranslation()
  const settings = useMain((main) => main.settings)
  return (
    <Section title={t("settings.downloads")}>
      <TextField
        label={t("settings.hub")}
        hint={t("settings.hubHint")}
        value={settings.hubEndpoint}
        placeholder={t("settings.hubPlaceholder")}
        isMono
        onCommit={(hubEndpoint) => void change({ hubEndpoint: hubEndpoint.trim() })}
      />
      <Account />
      <TextField
        label={t("settings.proxy")}
        hint={t("settings.proxyHint")}
        value={settings.proxy}
        placeholder={t("settings.proxyPlaceholder")}
        isMono
        onCommit={(proxy) => void change({ proxy: proxy.trim() })}
      />
      <NumberField
        label={t("settings.speedLimit")}
        hint={t("settings.speedLimitHint")}
        value={settings.bytesPerSecondLimit > 0 ? settings.bytesPerSecondLimit / mebibyte : null}
        min={0.01}
        max={100_000}
        isDecimal
        placeholder={t("settings.speedLimitNone")}
        outOfRange={(min, max) => t("settings.speedLimitOutOfRange", { min: String(min), max: formatCount(max) })}
        onCommit={(limit) => void change({ bytesPerSecondLimit: Math.round((limit ?? 0) * mebibyte) })}
      />
      <SwitchField
        label={t("settings.keepOriginals")}
        hint={t("settings.keepOriginalsHint")}
        isOn={settings.keepOriginals}
        onChange={(keepOriginals) => void change({ keepOriginals })}
      />
      <SwitchField
        label={t("settings.useCache")}
        hint={t("settings.useCacheHint")}
        isOn={settings.useHuggingFaceCache}
        onChange={(useHuggingFaceCache) => void change({ useHuggingFaceCache })}
      />
    </Section>
  )
}

/** The token for gated and private models. It goes to main and never comes back. */
function Account() {
  const { t } = useTranslation()
  const hub = useMain((main) => main.hub)
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<ErrorData | null>(null)
  const save = async (token: string | null): Promise<boolean> => {
    setBusy(true)
    setError(null)
    const isTaken = await setToken(token, setError)
    setBusy(false)
    return isTaken
  }
  if (hub.token !== null) {
    return (
      <div>
        <h3 className="text-12 font-medium text-ink-3">{t("settings.token")}</h3>
        <div className="mt-1 flex flex-wrap items-center gap-3">
          <p className="min-w-[200px] flex-1 text-13 text-ink-2">
            {hub.name === null ? t("settings.tokenSet") : t("settings.tokenOf", { name: hub.name })}
          </p>
          {hub.token !== "environment" && (
            <Button disabled={isBusy} onClick={() => void save(null)}>
              {t("settings.tokenRemove")}
            </Button>
          )}
        </div>
        <p className="mt-1 text-12 leading-prose text-ink-3">{t(`settings.tokenPlace.${hub.token}`)}</p>
      </div>
    )
  }
  const failure = error && describeFailure(error)
  return (
    <SecretField
      label={t("settings.token")}
      hint={t("settings.tokenHint")}
      saveLabel={t("settings.tokenSave")}
      isBusy={isBusy}
      error={failure ? [failure.title, failure.detail].filter(Boolean).join(". ") : undefined}
      onSave={save}
    />
  )
}
