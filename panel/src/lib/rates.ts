// Periods as people name them, and numbers as they are told: a rate never without what it is made of.
import type { Rate } from '../api/rates'

export const SPANS = ['month', 'last_month', 'quarter', 'year', 'own'] as const
export type Span = (typeof SPANS)[number]

/** In the order they are told in. */
export const RATES = [
  'on_time',
  'feedback',
  'claimed',
  'told',
  'solved',
  'satisfaction',
  'satisfied',
  'match',
] as const

const day = (year: number, month: number, date: number) =>
  new Date(Date.UTC(year, month, date)).toISOString().slice(0, 10)

/** First day, and the day after the last, as days of the district's calendar; `today` as 2026-11-28. */
export function spanOf(span: Exclude<Span, 'own'>, today: string): { from: string; to: string } {
  const [year, month] = today.split('-').map(Number) as [number, number]
  const first = {
    month: [month - 1, 1],
    last_month: [month - 2, 1],
    quarter: [Math.floor((month - 1) / 3) * 3, 3],
    year: [0, 12],
  }[span] as [number, number]
  return { from: day(year, first[0], 1), to: day(year, first[0] + first[1], 1) }
}

/** The day after, and the day before: a period's end is not in it, and people name its last day. */
export const plusDays = (date: string, days: number) => {
  const [year, month, of] = date.split('-').map(Number) as [number, number, number]
  return day(year, month - 1, of + days)
}

/** By unit, then by name; who leads most tickets first, and what nobody leads last. */
export function rowsOf(units: readonly Rate[]): { unit: string | null; rates: Map<string, Rate> }[] {
  const rows = new Map<string | null, Map<string, Rate>>()
  for (const one of units) {
    const unit = one.unit ?? null
    if (!rows.has(unit)) rows.set(unit, new Map())
    rows.get(unit)?.set(one.name, one)
  }
  const size = (rates: Map<string, Rate>) => {
    const one = rates.get('on_time')
    return one ? one.denominator + one.missing : 0
  }
  return [...rows]
    .map(([unit, of]) => ({ unit, rates: of }))
    .sort((a, b) => Number(a.unit === null) - Number(b.unit === null) || size(b.rates) - size(a.rates))
}

/** 98.25 %; a dash where nobody has answered. */
export const percent = (rate: Rate | undefined) =>
  rate?.rate_pct === null || rate?.rate_pct === undefined ? '–' : `${rate.rate_pct.toFixed(2)}%`

/** 12.8 of 14: weights leave halves and fifths. */
export const share = (rate: Rate | undefined) =>
  rate ? `${Number(rate.numerator.toFixed(2))} / ${rate.denominator}` : ''
