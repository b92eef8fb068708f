// The day by half hours as it is drawn: bars against the forecast's band, seats planned against seats asked for. Pure.
import type { Fared, FloorDay, RosterCover } from '../api/types'

export interface Bar {
  at: string
  /** `09:00`. */
  from: string
  fared: Fared | null
  /** Expected, and the band in which four days out of five fall by chance alone (Poisson). */
  forecast: number | null
  low: number
  high: number
  /** More came than chance explains. */
  over: boolean
  /** Seats that are missing; null without a roster. */
  missing: number | null
}

/** 10 % and 90 % of a Poisson count, near enough for a drawing. */
const SPREAD = 1.2816

export function bars(day: Pick<FloorDay, 'half_hours'>, cover: readonly RosterCover[]): Bar[] {
  const missing = new Map(cover.map((one) => [one.at.slice(0, 16), one.missing]))
  return day.half_hours.map(({ at, fared, forecast }) => {
    const spread = SPREAD * Math.sqrt(forecast ?? 0)
    const high = (forecast ?? 0) + spread
    return {
      at,
      from: at.slice(11, 16),
      fared,
      forecast,
      low: Math.max(0, (forecast ?? 0) - spread),
      high,
      over: forecast !== null && (fared?.calls ?? 0) > high,
      missing: missing.get(at.slice(0, 16)) ?? null,
    }
  })
}

/** The scale's end and its lines: round numbers above everything drawn. */
export function scale(list: readonly Bar[]): number[] {
  const most = Math.max(4, ...list.map((bar) => Math.max(bar.fared?.calls ?? 0, bar.high)))
  const raw = most / 2
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 3, 4, 5, 6, 8, 10].map((n) => n * power).find((n) => n >= raw) ?? raw
  return [0, step, 2 * step]
}

/** Fewer than this say nothing as a rate. */
export const FEW = 10

/** `93.8` of a hundred; null when there is nothing to divide by. */
export const rate = (a: number, b: number): string | null => (b > 0 ? ((100 * a) / b).toFixed(1) : null)

/** By formula ③: answered in time, of those answered and those who gave up. */
export const inTime = (f: Fared): [number, number] => [f.within, f.answered + f.abandoned]
/** 接通率: answered, of those who asked for somebody; who waits at this moment is neither yet. */
export const reached = (f: Fared, waiting: number): [number, number] => [
  f.answered,
  Math.max(f.answered + f.abandoned, f.queued - waiting),
]

/** How much more came than was expected until now, in percent; null when there is nothing to compare. */
export function against(list: readonly Bar[], now: number): number | null {
  let [came, expected] = [0, 0]
  for (const bar of list) {
    if (!bar.fared || bar.forecast === null) continue
    came += bar.fared.calls
    // The running half hour counts for what of it is over.
    expected += bar.forecast * Math.min(1, Math.max(0, (now - Date.parse(bar.at)) / 1_800_000))
  }
  return expected >= 1 ? Math.round((100 * (came - expected)) / expected) : null
}

/** Where the streets lie, roughly: column and row by the last three digits of their codes. */
export const PLACES: Record<string, [number, number]> = {
  '010': [2, 1],
  '009': [1, 2],
  '003': [2, 2],
  '012': [3, 2],
  '007': [1, 3],
  '011': [2, 3],
  '001': [3, 3],
  '020': [1, 4],
  '017': [2, 4],
  '015': [3, 4],
  '013': [4, 4],
  '018': [2, 5],
  '016': [3, 5],
  '014': [4, 5],
  '019': [2, 6],
}
