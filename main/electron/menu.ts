// The menu: the usual places, so that the usual shortcuts work, and the text for a bug report.
import type { MenuItemConstructorOptions } from "electron"

export interface MenuActions {
  copyDiagnostics(): void
}

export function menuTemplate(platform: NodeJS.Platform, isPackaged: boolean, actions: MenuActions): MenuItemConstructorOptions[] {
  const isMac = platform === "darwin"
  return [
    ...(isMac ? [{ role: "appMenu" as const }] : []),
    { label: "File", submenu: [{ role: isMac ? "close" : "quit" }] },
    { role: "editMenu" },
    {
      label: "View",
      submenu: [
        { role: "reload" },
        ...(isPackaged ? [] : [{ role: "toggleDevTools" as const }]),
        { type: "separator" },
        { role: "resetZoom" },
        { role: "zoomIn" },
        { role: "zoomOut" },
        { type: "separator" },
        { role: "togglefullscreen" },
      ],
    },
    { role: "windowMenu" },
    { role: "help", submenu: [{ label: "Copy Diagnostics", click: actions.copyDiagnostics }] },
  ]
}
