// Where one is, kept in the address so that a reload and the back button work: #/chat/<id>, #/models, #/models/add,
// #/models/add/<addition id>, #/memory, #/settings.
import { slice } from "./slice.ts"

export const places = ["chat", "models", "memory", "settings"] as const
export type Place = (typeof places)[number]

export interface Location {
  place: Place
  /** Only in the chat: null is a chat that is not written to yet. */
  chatId: string | null
  /** Only in the models: the wizard, at its first step ("new") or with an addition; null: the list. */
  adding: string | null
}

export const navigation = slice("navigation", {
  place: "chat" as Place,
  chatId: null as string | null,
  adding: null as string | null,
  dialog: null as null | "palette" | "shortcuts",
})

export function parseHash(hash: string): Location {
  const [place, id, rest] = hash.replace(/^#\/?/, "").split("/")
  const known = places.find((one) => one === place) ?? "chat"
  return {
    place: known,
    chatId: known === "chat" && id ? decode(id) : null,
    adding: known === "models" && id === "add" ? ((rest && decode(rest)) ?? "new") || "new" : null,
  }
}

/** Addresses are typed by people too: one that cannot be decoded names no chat. */
function decode(part: string): string | null {
  try {
    return decodeURIComponent(part)
  } catch {
    return null
  }
}

export function formatHash({ place, chatId, adding }: Location): string {
  if (place === "chat" && chatId) return `#/chat/${encodeURIComponent(chatId)}`
  if (place === "models" && adding) return adding === "new" ? "#/models/add" : `#/models/add/${encodeURIComponent(adding)}`
  return `#/${place}`
}

/** The chat that was open is open again on the way back. */
export function goTo(place: Place): void {
  const { chatId } = navigation.get()
  navigate({ place, chatId, adding: null })
}

export function openChat(chatId: string | null): void {
  navigate({ place: "chat", chatId, adding: null })
}

/** The wizard: "new", or the id of an addition. */
export function openAdding(adding: string): void {
  navigate({ place: "models", chatId: navigation.get().chatId, adding })
}

function navigate(to: Location): void {
  navigation.update(to)
  const hash = formatHash(to)
  if (location.hash !== hash) history.pushState(null, "", hash)
}

export function startNavigation(): void {
  const read = () => {
    const { place, chatId, adding } = parseHash(location.hash)
    navigation.update(place === "chat" ? { place, chatId, adding } : { place, adding })
  }
  read()
  addEventListener("popstate", read)
  addEventListener("hashchange", read)
}

export function showDialog(dialog: "palette" | "shortcuts" | null): void {
  navigation.update({ dialog })
}
