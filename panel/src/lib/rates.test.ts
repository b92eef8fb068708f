import { describe, expect, it } from 'vitest'
import type { Rate } from '../api/rates'
import { percent, plusDays, rowsOf, share, spanOf } from './rates'

const rate = (unit: string | null, denominator: number, rate_pct: number | null = 80): Rate => ({
  unit,
  name: 'on_time',
  numerator: denominator * 0.8,
  denominator,
  missing: 1,
  rate_pct,
  few: denominator < 10,
})

describe('rates', () => {
  it.each([
    ['month', '2026-11-28', '2026-11-01', '2026-12-01'],
    ['last_month', '2027-01-02', '2026-12-01', '2027-01-01'],
    ['quarter', '2026-12-31', '2026-10-01', '2027-01-01'],
    ['quarter', '2026-03-31', '2026-01-01', '2026-04-01'],
    ['year', '2028-02-29', '2028-01-01', '2029-01-01'],
  ] as const)('%s on %s is from %s to %s', (span, today, from, to) => {
    expect(spanOf(span, today)).toEqual({ from, to })
  })

  it('names the last day of a period, over ends of months and years', () => {
    expect([plusDays('2026-12-31', 1), plusDays('2027-01-01', -1), plusDays('2028-03-01', -1)]).toEqual([
      '2027-01-01',
      '2026-12-31',
      '2028-02-29',
    ])
  })

  it('has the largest first and what nobody leads last', () => {
    const rows = rowsOf([rate(null, 500), rate('cgw', 20), rate('rl', 300)])
    expect(rows.map((row) => row.unit)).toEqual(['rl', 'cgw', null])
  })

  it('tells no rate without an answer, and no float noise', () => {
    expect([percent(rate('rl', 10)), percent(rate('rl', 0, null)), percent(undefined)]).toEqual([
      '80.00%',
      '–',
      '–',
    ])
    expect(share({ ...rate('rl', 14), numerator: 12.799999999999999 })).toBe('12.8 / 14')
  })
})
