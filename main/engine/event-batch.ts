// Joins the text of many tokens into one event per 30 ms, and waits for a receiver that cannot keep up.
const everyMs = 30

export interface EventBatch {
  add(text: string, tokens: number): void
  /** Sends what is left. */
  end(): Promise<void>
}

export function createEventBatch(emit: (event: { text: string; tokens: number }) => Promise<void>): EventBatch {
  let text = ""
  let tokens = 0
  let timer: NodeJS.Timeout | undefined
  let sending: Promise<void> | undefined
  let lastAt = Number.NEGATIVE_INFINITY

  async function send(): Promise<void> {
    if (text === "" && tokens === 0) return
    const event = { text, tokens }
    text = ""
    tokens = 0
    lastAt = performance.now()
    await emit(event)
  }

  function schedule(): void {
    if (timer || sending) return
    timer = setTimeout(
      () => {
        timer = undefined
        sending = send().finally(() => {
          sending = undefined
          if (text !== "" || tokens > 0) schedule()
        })
      },
      Math.max(0, lastAt + everyMs - performance.now()),
    )
  }

  return {
    add(more, count) {
      text += more
      tokens += count
      // The first goes out at once.
      if (lastAt === Number.NEGATIVE_INFINITY && text !== "") void send()
      else if (text !== "" || tokens > 0) schedule()
    },
    async end() {
      clearTimeout(timer)
      timer = undefined
      await sending
      await send()
    },
  }
}
