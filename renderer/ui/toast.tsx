// Short news at the edge of the page, with at most one thing to do about it (mostly "Undo"). Announced politely by Base UI.
import { Toast } from "@base-ui/react/toast"
import { X } from "lucide-react"
import type { ReactNode } from "react"
import { IconButton } from "./button.tsx"
import type { FailureWords } from "./failure-note.tsx"

export const toasts = Toast.createToastManager()

interface ToastOptions {
  /** Below the text. */
  detail?: ReactNode
  action?: { label: string; run(): void }
  timeout_ms?: number
  /** Runs when it goes without its action. */
  onGone?(): void
}

export function showToast(text: string, { detail, action, timeout_ms = 6000, onGone }: ToastOptions = {}): void {
  let isDone = false
  const id: string = toasts.add({
    title: text,
    ...(detail ? { description: detail } : {}),
    timeout: timeout_ms,
    onRemove: () => !isDone && onGone?.(),
    ...(action
      ? {
          actionProps: {
            children: action.label,
            onClick: () => {
              isDone = true
              action.run()
              toasts.close(id)
            },
          },
        }
      : {}),
  })
}

/** A failure that has no place of its own on the page. */
export function showFailure({ title, advice, detail }: FailureWords): void {
  const words = (
    <>
      {advice}
      <span lang="en" className="block text-12">
        {detail}
      </span>
    </>
  )
  showToast(title, { detail: words, timeout_ms: 12_000 })
}

function List({ closeLabel }: { closeLabel: string }) {
  const { toasts: shown } = Toast.useToastManager()
  return shown.map((toast) => (
    <Toast.Root
      key={toast.id}
      toast={toast}
      data-toast
      swipeDirection={[]}
      className="transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0"
    >
      <Toast.Content className="flex items-center gap-2 rounded-card border border-line-strong bg-raised py-1.5 pr-1.5 pl-3.5 text-13 shadow-float">
        <div className="min-w-0 flex-1">
          <Toast.Title className="has-[+*]:font-semibold" />
          <Toast.Description className="wrap-anywhere text-ink-2" />
        </div>
        <Toast.Action className="h-7 flex-none rounded-control px-2.5 font-medium text-accent-ink hover:bg-hover" />
        <Toast.Close render={<IconButton icon={X} label={closeLabel} iconSize={14} hasTooltip={false} />} />
      </Toast.Content>
    </Toast.Root>
  ))
}

export function Toasts({ closeLabel }: { closeLabel: string }) {
  return (
    <Toast.Provider toastManager={toasts} limit={3}>
      <Toast.Portal>
        <Toast.Viewport className="fixed top-[calc(var(--top)+12px)] right-3 z-50 flex w-[min(420px,calc(100vw-24px))] flex-col gap-2">
          <List closeLabel={closeLabel} />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  )
}
