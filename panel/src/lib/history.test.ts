import { describe, expect, it } from 'vitest'
import type { TicketLine } from '../api/types'
import { before, byDay, lastOf, told, type Names } from './history'

const names: Names = {
  unit: (code) => `‹${code}›`,
  word: (group, code) => `${group}:${code}`,
  when: (at) => at.slice(5, 16),
}
const line = (n: number, kind: string, data = {}, more: Partial<TicketLine> = {}): TicketLine => ({
  n,
  at: '2026-11-23T09:34:11+08:00',
  kind,
  actor: 'user:rl',
  data,
  personal: null,
  ...more,
})

describe('a history in words', () => {
  it('names who, when, and the units', () => {
    const one = told(line(3, 'dispatch', { lead: 'rl', assist: ['st019', 'zjw'] }), names)
    expect(one).toMatchObject({
      day: '2026-11-23',
      time: '09:34',
      who: 'rl',
      icon: 'send',
      group: 'handling',
    })
    expect(one.values).toMatchObject({ lead: '‹rl›', assist: '‹st019›、‹zjw›', to: '' })
  })
  it('quotes what was written, and keeps the sealed part where the reader may have it', () => {
    const asked = line(4, 'ask_return', { to: 'gd' }, { personal: { basis: '条例 3', text: '不属供热' } })
    expect(told(asked, names).quotes).toEqual([
      { field: 'text', text: '不属供热' },
      { field: 'basis', text: '条例 3' },
    ])
    expect(told({ ...asked, personal: null }, names).quotes).toEqual([])
  })
  it('reads four answers apart', () => {
    const visit = line(9, 'visit', { contacted: false, solved: 'no', satisfied: 'not', matches: false })
    expect(told(visit, names).values).toMatchObject({
      yes: 'pick.yes:not_contacted',
      solved: 'pick.solved:no',
      satisfied: 'pick.satisfied:not',
      true: 'pick.yes:not_matches',
    })
    expect(told(line(9, 'visit', { contacted: true, matches: null }), names).values.true).toBe('')
  })
  it('tells a reminder’s clock and part, and times kept in milliseconds', () => {
    expect(told(line(5, 'reminded', { clock: ['sign', 80] }), names).values).toMatchObject({
      clock: 'clock:sign',
      pct: '80',
    })
    const at = Date.parse('2026-12-01T23:59:00+08:00')
    expect(told(line(5, 'defer', { until: at }), names).values.until).toBe('12-01T23:59')
    expect(told(line(5, 'defer', { until: '2026-12-01' }), names).values.until).toBe('12-01')
  })
  it('keeps views small and apart, and an act it does not know in sight', () => {
    expect(told(line(1, 'viewed'), names)).toMatchObject({ group: 'view', tone: 'small' })
    expect(told(line(1, 'callback_tried'), names).group).toBe('call')
    expect(told(line(1, 'brand_new'), names)).toMatchObject({ group: 'handling', icon: 'dash' })
  })
  it('goes newest first, a heading for each day', () => {
    const lines = [
      told(line(1, 'accepted', {}, { at: '2026-11-22T23:59:00+08:00' }), names),
      told(line(2, 'dispatch'), names),
      told(line(3, 'sign'), names),
    ]
    expect(byDay(lines).map((d) => [d.day, d.lines.map((l) => l.n)])).toEqual([
      ['2026-11-23', [3, 2]],
      ['2026-11-22', [1]],
    ])
  })
  it('finds what a review is about', () => {
    expect(
      lastOf([line(1, 'ask_return'), line(2, 'refuse_return'), line(3, 'ask_return')], 'ask_return')?.n,
    ).toBe(3)
    expect(lastOf([], 'ask_return')).toBeUndefined()
  })
  it('knows the claim and the verdict of the time before, which a redo takes off the ticket', () => {
    const lines = [
      line(1, 'contact', { how: 'phone' }),
      line(2, 'reply', { claim: 'solved' }, { personal: { text: '已修复' } }),
      line(3, 'visit', { contacted: false, solved: 'no', satisfied: 'not', matches: null }),
      line(4, 'redo'),
      line(5, 'contact', { how: 'visit' }),
      line(6, 'reply', { claim: 'partial' }),
    ]
    expect(before(lines)).toMatchObject({
      reply: { claim: 'solved', text: '已修复', by: 'rl' },
      visit: { contacted: false, solved: 'no', matches: null, by: 'rl' },
      contacts: [{ how: 'phone' }],
    })
    expect(before(lines.slice(0, 2))).toBeNull()
    const again = [...lines, line(7, 'visit', { solved: 'yes', contacted: true })]
    expect(before(again)?.contacts?.map((c) => c.how)).toEqual(['visit'])
  })
})
