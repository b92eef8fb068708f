import { describe, expect, it } from 'vitest'
import { clock, lasted, moment, phone, precise, when } from './format'

describe('format', () => {
  it('writes lengths of time as a clock does', () => {
    expect([0, 999, 61_000, 3_729_000, -5].map(clock)).toEqual(['0:00', '0:00', '1:01', '1:02:09', '0:00'])
  })
  it('counts on until there is an end', () => {
    const from = '2026-11-23T09:30:00+08:00'
    expect(lasted(from, '2026-11-23T09:30:05.5+08:00', 0)).toBe(5500)
    expect(lasted(from, null, Date.parse(from) + 1000)).toBe(1000)
    expect(lasted(null, null, 9)).toBe(0)
  })
  it('groups the numbers people know and leaves the others', () => {
    expect(phone('12000000001')).toBe('120 0000 0001')
    expect(phone('01012345678')).toBe('010 1234 5678')
    expect([phone('12341'), phone('+4930123'), phone(null)]).toEqual(['12341', '+4930123', ''])
  })
  it('leaves out of a time what is the same as now, in the zone of the time', () => {
    const now = Date.parse('2026-11-23T23:30:00Z') // already the 24th in Beijing
    expect(when('2026-11-24T07:29:58+08:00', now)).toBe('07:29:58')
    expect(when('2026-11-23T07:29:58+08:00', now)).toBe('11-23 07:29')
    expect(when('2025-12-03T10:00:00+08:00', now)).toBe('2025-12-03 10:00')
    expect(moment('2026-11-24T07:29:58+08:00', now)).toBe('07:29')
    expect([when(null, now), when('soon', now)]).toEqual(['', ''])
  })
  it('keeps the tenths where order matters', () => {
    expect(precise('2026-11-23T09:30:00.120+08:00')).toBe('09:30:00.1')
  })
})
