// Where one is, kept in the address so that a reload and the back button work: #/chat/<id>, #/models, #/settings.
import { slice } from "./slice.ts"

export const places = ["chat", "models", "settings"] as const
export type Place = (typeof places)[number]

export interface Location {
  place: Place
  /** Only in the chat: null is a chat that is not written to yet. */
  chatId: string | null
}

export const navigation = slice("navigation", {
  place: "chat" as Place,
  chatId: null as string | null,
  dialog: null as null | "palette" | "shortcuts",
})

export function parseHash(hash: string): Location {
  const [place, id] = hash.replace(/^#\/?/, "").split("/")
  const known = places.find((one) => one === place) ?? "chat"
  return { place: known, chatId: known === "chat" && id ? decode(id) : null }
}

/** Addresses are typed by people too: one that cannot be decoded names no chat. */
function decode(part: string): string | null {
  try {
    return decodeURIComponent(part)
  } catch {
    return null
  }
}

export function formatHash({ place, chatId }: Location): string {
  return place === "chat" && chatId ? `#/chat/${encodeURIComponent(chatId)}` : `#/${place}`
}

/** The chat that was open is open again on the way back. */
export function goTo(place: Place): void {
  const { chatId } = navigation.get()
  navigate({ place, chatId })
}

export function openChat(chatId: string | null): void {
  navigate({ place: "chat", chatId })
}

function navigate(to: Location): void {
  navigation.update(to)
  const hash = formatHash(to)
  if (location.hash !== hash) history.pushState(null, "", hash)
}

export function startNavigation(): void {
  const read = () => {
    const to = parseHash(location.hash)
    navigation.update(to.place === "chat" ? to : { place: to.place })
  }
  read()
  addEventListener("popstate", read)
  addEventListener("hashchange", read)
}

export function showDialog(dialog: "palette" | "shortcuts" | null): void {
  navigation.update({ dialog })
}
