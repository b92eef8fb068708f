import { describe, expect, it } from 'vitest'
import { barOf, clockFace, left, lightOf, limitOf, nextClock } from './due'

const NOW = Date.parse('2026-11-23T09:30:00+08:00')
const at = (text: string) => `2026-11-${text}+08:00`

describe('deadlines', () => {
  it.each([
    ['23T09:33:12', 'due.left_clock', { m: 3, s: '12' }],
    ['23T09:39:59', 'due.left_clock', { m: 9, s: '59' }],
    ['23T09:40:00', 'due.left_min', { n: 10 }],
    ['23T10:29:59', 'due.left_min', { n: 59 }],
    ['23T14:40:00', 'due.left_hours', { h: 5, m: 10 }],
    ['24T11:30:00', 'due.left_days', { d: 1, h: 2 }],
    ['30T17:30:00', 'due.until', { at: '11-30 17:30' }],
    ['23T09:29:30', 'due.late_min', { n: 1 }],
    ['23T03:30:00', 'due.late_hours', { h: 6, m: 0 }],
    ['20T00:30:00', 'due.late_days', { d: 3, h: 9 }],
  ])('%s is told as %s', (due, key, values) => {
    expect(left(at(due), NOW)).toEqual({ key, values, late: key.includes('late') })
  })
  it('says nothing without a deadline', () => {
    expect(left(null, NOW)).toBeNull()
    expect(left('soon', NOW)).toBeNull()
  })
  it.each([
    [0, 'green'],
    [49, 'green'],
    [50, 'yellow'],
    [79, 'yellow'],
    [80, 'orange'],
    [99, 'orange'],
    [100, 'red'],
    [400, 'red'],
  ])('%i percent is %s', (pct, light) => expect(lightOf(pct)).toBe(light))
  it('moves the limit back when time is over', () => {
    expect(barOf(30)).toEqual({ light: 'green', width: 30, limit: 100 })
    expect(barOf(400)).toEqual({ light: 'red', width: 100, limit: 25 })
  })
  const clock = (state: string, due: string, met: string | null, pct: number) => ({
    name: 'sign',
    due_at: at(due),
    met_at: met ? at(met) : null,
    state,
    passed_pct: pct,
  })
  const SINCE = at('23T09:00:00')
  it('tells of each clock what came of it', () => {
    expect(clockFace(clock('met', '23T09:30:00', '23T09:11:00', 37), SINCE, NOW)).toMatchObject({
      said: { key: 'due.took_min', values: { n: 11 } },
      width: 37,
      tone: 'ok',
    })
    expect(clockFace(clock('late', '23T09:10:00', '23T09:25:00', 250), SINCE, NOW)).toMatchObject({
      said: { key: 'due.late_min', values: { n: 15 } },
      limit: 40,
      tone: 'danger',
    })
    expect(clockFace(clock('missed', '23T09:20:00', null, 150), SINCE, NOW)).toMatchObject({
      said: { key: 'due.late_min', values: { n: 10 } },
      light: 'red',
    })
    expect(clockFace(clock('running', '23T09:50:00', null, 60), SINCE, NOW)).toMatchObject({
      said: { key: 'due.left_min', values: { n: 20 } },
      light: 'yellow',
      tone: 'warn',
      width: 60,
    })
  })
  it('names a round limit as a length, any other as a moment', () => {
    expect(limitOf(clock('running', '23T09:30:00', null, 0), SINCE, NOW)).toEqual({
      key: 'due.within_min',
      values: { n: 30 },
    })
    expect(limitOf(clock('running', '24T09:00:00', null, 0), SINCE, NOW).values).toEqual({ n: 24 })
    expect(limitOf(clock('running', '30T17:30:00', null, 0), SINCE, NOW)).toEqual({
      key: 'due.before',
      values: { at: '11-30 17:30' },
    })
  })
  it('takes the clock that ends first of those that run', () => {
    const clocks = [
      clock('met', '23T09:01:00', '23T09:00:30', 50),
      clock('running', '24T09:00:00', null, 3),
      clock('missed', '23T09:20:00', null, 150),
    ]
    expect(nextClock({ clocks })?.due_at).toBe(at('23T09:20:00'))
    expect(nextClock({ clocks, next_due_at: at('24T09:00:00') })?.due_at).toBe(at('24T09:00:00'))
    expect(nextClock({})).toBeNull()
  })
})
