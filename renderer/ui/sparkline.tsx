// A minute of one figure, drawn by uPlot on a canvas. A picture without words: the figure and its table stand beside it.
import { useEffect, useRef } from "react"
import uPlot from "uplot"
import "uplot/dist/uPlot.min.css"

interface SparklineProps {
  /** What it shows, with its newest figure. */
  label: string
  /** Seconds before now, and values; null is a gap. */
  data: [number[], (number | null)[]]
  seconds: number
  max: number
  height?: number
}

export function Sparkline({ label, data, seconds, max, height = 36 }: SparklineProps) {
  const box = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | null>(null)
  const range = useRef(max)
  useEffect(() => {
    const element = box.current
    if (!element) return
    // The canvas knows no variables: the color is that of the text around it, asked for at each drawing, since the theme may change.
    const color = () => getComputedStyle(element).color
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height,
        padding: [2, 0, 1, 0],
        cursor: { show: false },
        legend: { show: false },
        axes: [{ show: false }, { show: false }],
        scales: { x: { time: false, range: [-seconds, 0] }, y: { range: () => [0, range.current] } },
        series: [{}, { stroke: color, fill: () => translucent(color()), width: 1.5, points: { show: false } }],
      },
      [[], []],
      element,
    )
    chart.current = plot
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.destroy()
      chart.current = null
    }
  }, [seconds, height])
  useEffect(() => {
    range.current = max
    chart.current?.setData(data)
  }, [data, max])
  return <div ref={box} role="img" aria-label={label} className="w-full overflow-hidden" style={{ height }} />
}

function translucent(color: string): string {
  return `color-mix(in oklab, ${color} 18%, transparent)`
}
