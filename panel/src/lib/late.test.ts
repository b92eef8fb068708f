import { describe, expect, it } from 'vitest'
import type { Ticket } from '../api/types'
import { lateByUnit } from './late'

const NOW = Date.parse('2026-11-23T08:00:00+08:00')
const ticket = (no: string, due: string, more: Partial<Ticket> = {}) =>
  ({ no, next_due_at: `2026-11-${due}+08:00`, lead: null, ...more }) as unknown as Ticket

describe('the list at eight', () => {
  it('counts by who must act, most first, the worst of each first', () => {
    const list = lateByUnit(
      [
        ticket('1', '23T07:00:00', { lead: 'rl' }),
        ticket('2', '20T07:00:00', { lead: 'gd' }),
        ticket('3', '22T07:00:00', { lead: 'rl' }),
        ticket('4', '23T09:00:00', { lead: 'rl' }),
        ticket('5', '23T07:59:00', { lead: 'rl', owner: { role: 'dispatcher', unit: null } }),
      ],
      NOW,
    )
    expect(list.map((u) => [u.unit, u.tickets.map((t) => t.no)])).toEqual([
      ['rl', ['3', '1']],
      ['gd', ['2']],
      ['', ['5']],
    ])
    expect(list[0]?.worst).toBe(25 * 3_600_000)
  })
  it('leaves out what has no deadline', () => {
    expect(lateByUnit([{ no: '1', lead: 'rl', due_at: null } as unknown as Ticket], NOW)).toEqual([])
  })
})
