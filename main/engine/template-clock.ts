// Python's strftime for chat templates: in English, whatever the language of the system, as models were trained on it.

const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

const padded = (value: number, width = 2, fill = "0") => String(value).padStart(width, fill)

/** Local time. Directives without a meaning here stay as they are. */
export function strftime(now: Date, format: string): string {
  const hour12 = now.getHours() % 12 || 12
  const startOfYear = Date.UTC(now.getFullYear(), 0, 1)
  const dayOfYear = (Date.UTC(now.getFullYear(), now.getMonth(), now.getDate()) - startOfYear) / 86_400_000 + 1
  const directives: Record<string, string> = {
    Y: padded(now.getFullYear(), 4),
    y: padded(now.getFullYear() % 100),
    m: padded(now.getMonth() + 1),
    B: months[now.getMonth()]!,
    b: months[now.getMonth()]!.slice(0, 3),
    h: months[now.getMonth()]!.slice(0, 3),
    d: padded(now.getDate()),
    e: padded(now.getDate(), 2, " "),
    j: padded(dayOfYear, 3),
    A: days[now.getDay()]!,
    a: days[now.getDay()]!.slice(0, 3),
    H: padded(now.getHours()),
    I: padded(hour12),
    M: padded(now.getMinutes()),
    S: padded(now.getSeconds()),
    p: now.getHours() < 12 ? "AM" : "PM",
    "%": "%",
  }
  directives.F = `${directives.Y}-${directives.m}-${directives.d}`
  directives.T = `${directives.H}:${directives.M}:${directives.S}`
  return format.replace(/%(-?)([A-Za-z%])/g, (whole, minus: string, letter: string) => {
    const value = Object.hasOwn(directives, letter) ? directives[letter]! : whole
    return minus && value !== whole ? value.replace(/^[0 ]+(?=.)/, "") : value
  })
}
