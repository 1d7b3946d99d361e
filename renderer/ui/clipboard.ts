// Copying text. Where the clipboard permission is denied (as our own Electron window denies all), a selected field does it.
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    const field = document.createElement("textarea")
    field.value = text
    field.style.position = "fixed"
    field.style.opacity = "0"
    document.body.append(field)
    field.select()
    document.execCommand("copy")
    field.remove()
  }
}
