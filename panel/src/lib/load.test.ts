import { describe, expect, it } from 'vitest'
import type { RosterCover } from '../api/types'
import names from '../i18n/district.json'
import { against, bars, inTime, PLACES, rate, reached, scale } from './load'

const fared = (calls: number) => ({ calls, queued: calls, answered: calls, within: calls, abandoned: 0 })
const at = (hour: string) => `2026-11-23T${hour}:00.000+08:00`
const cover = (from: string, missing: number) => ({ at: at(from), missing }) as RosterCover

describe('the day by half hours', () => {
  const list = bars(
    {
      half_hours: [
        { at: at('09:00'), fared: fared(80), forecast: 80 },
        { at: at('09:30'), fared: fared(92), forecast: 80 },
        { at: at('10:00'), fared: null, forecast: null },
      ],
    },
    [cover('09:00', 0), cover('09:30', 2)],
  )
  it('tells chance from more than that, and what is missing', () => {
    expect(list.map((bar) => bar.over)).toEqual([false, true, false])
    expect(list.map((bar) => bar.missing)).toEqual([0, 2, null])
    expect(list[0]).toMatchObject({ from: '09:00', forecast: 80 })
    expect(list[0]?.high).toBeCloseTo(91.46, 1)
  })
  it('has a scale of round numbers above all of it', () => {
    expect(scale(list)).toEqual([0, 50, 100])
    expect(scale([])).toEqual([0, 2, 4])
  })
  it('compares with what was expected until now', () => {
    expect(against(list, Date.parse(at('10:00')))).toBe(8)
    expect(against(list.slice(0, 1), Date.parse(at('09:15')))).toBe(100)
    expect(against([], 0)).toBe(null)
  })
})

describe('rates and places', () => {
  it('is of what the formula says', () => {
    const f = { calls: 20, queued: 16, answered: 14, within: 12, abandoned: 1 }
    expect([rate(...inTime(f)), rate(...reached(f, 0))]).toEqual(['80.0', '87.5'])
    expect(reached(f, 1), 'who still waits has not been let down').toEqual([14, 15])
    expect(reached(f, 9)).toEqual([14, 15])
    expect(rate(0, 0)).toBe(null)
  })
  it('has a place for every street, none twice', () => {
    expect(Object.keys(PLACES).sort()).toEqual(
      Object.keys(names.street)
        .map((code) => code.slice(-3))
        .sort(),
    )
    expect(new Set(Object.values(PLACES).map(String)).size).toBe(15)
  })
})
