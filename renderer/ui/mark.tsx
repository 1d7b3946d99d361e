/** Nibble's mark: four bits, one of them zero. */
export function Mark({ size, className }: { size: number; className?: string }) {
  return (
    <svg viewBox="0 0 26 26" width={size} height={size} role="img" aria-label="Nibble" className={className}>
      <g fill="var(--accent)">
        <rect x="2" y="2" width="10" height="10" rx="2.5" />
        <rect x="2" y="14" width="10" height="10" rx="2.5" />
        <rect x="14" y="14" width="10" height="10" rx="2.5" />
      </g>
      <rect x="15" y="3" width="8" height="8" rx="1.8" fill="none" stroke="var(--accent)" strokeWidth="2" />
    </svg>
  )
}
