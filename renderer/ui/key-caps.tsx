export function KeyCaps({ keys }: { keys: string[] }) {
  return (
    <span className="inline-flex gap-1">
      {keys.map((key) => (
        <kbd key={key} className="rounded-small border border-line-strong px-[5px] font-sans text-12 leading-[18px] font-medium text-ink-3">
          {key}
        </kbd>
      ))}
    </span>
  )
}
