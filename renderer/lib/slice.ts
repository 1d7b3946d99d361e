// The one store, in parts nested by name. A part's owner keeps the handle that slice() returns; nobody lists all parts.
import { useStore } from "zustand"
import { createStore } from "zustand/vanilla"

type Parts = Record<string, object>

const store = createStore<Parts>(() => ({}))
const initials: Parts = {}

export interface Slice<T extends object> {
  /** In a component: a value of the part, re-rendering when it changes. */
  use<V>(selector: (part: T) => V): V
  get(): T
  update(change: Partial<T> | ((part: T) => Partial<T>)): void
  reset(): void
  /** Called after each change of the part; returns how to end that. */
  subscribe(listener: (part: T, before: T) => void): () => void
}

export function slice<T extends object>(name: string, initial: T): Slice<T> {
  // While developing, a changed module declares its part anew.
  if (Object.hasOwn(initials, name) && !import.meta.hot) throw new Error(`There is already a part named "${name}" in the store.`)
  initials[name] = initial
  store.setState({ [name]: initial })
  const get = () => store.getState()[name] as T
  return {
    use: (selector) => useStore(store, (parts) => selector(parts[name] as T)),
    get,
    update: (change) => store.setState({ [name]: { ...get(), ...(typeof change === "function" ? change(get()) : change) } }),
    reset: () => store.setState({ [name]: initial }),
    subscribe: (listener) =>
      store.subscribe((parts, before) => {
        if (parts[name] !== before[name]) listener(parts[name] as T, before[name] as T)
      }),
  }
}

/** Every part as it began: between tests. */
export function resetAll(): void {
  store.setState({ ...initials }, true)
}
