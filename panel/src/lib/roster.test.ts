import { describe, expect, it } from 'vitest'
import type { HandoverTurn, RosterRequest } from '../api/types'
import { absent, hours, lacks, mayDo, mayNotSign, monday, openTurn, plusDays, turns, weekday } from './roster'

describe('roster', () => {
  it('counts civil dates over years and leap days', () => {
    expect(plusDays('2026-12-31', 1)).toBe('2027-01-01')
    expect(plusDays('2028-02-28', 1)).toBe('2028-02-29')
    expect(monday('2026-11-29')).toBe('2026-11-23')
    expect(monday('2026-11-23')).toBe('2026-11-23')
    expect(weekday('2026-11-29')).toBe(6)
  })
  it('joins half hours with the same lack, and days stay apart', () => {
    const piece = (at: string, missing: number) => ({
      at: `${at}:00.000+08:00`,
      agents: 0,
      leads: 0,
      on_call: 0,
      required: missing,
      forecast: null,
      missing,
    })
    const strip = [
      piece('2026-11-23T23:00', 2),
      piece('2026-11-23T23:30', 2),
      piece('2026-11-24T00:00', 2),
      piece('2026-11-24T00:30', 1),
      piece('2026-11-24T01:00', 0),
    ]
    expect(lacks(strip)).toEqual([
      { date: '2026-11-23', from: '23:00', to: '24:00', missing: 2 },
      { date: '2026-11-24', from: '00:00', to: '00:30', missing: 2 },
      { date: '2026-11-24', from: '00:30', to: '01:00', missing: 1 },
    ])
  })
  it('writes the end of a day as 24:00', () => {
    const at = (time: string) => `2026-11-23T${time}:00.000+08:00`
    expect(hours({ from: at('16:00'), to: at('00:00') })).toBe('16:00–24:00')
    expect(hours({ from: at('22:00'), to: at('08:00') })).toBe('22:00–08:00')
  })
  it('offers only what a request still takes, and nobody his own', () => {
    const swap = (stage: string): RosterRequest => ({
      id: 'r',
      asked_at: '',
      asker: '8001',
      other: '8002',
      kind: 'swap',
      mine: null,
      theirs: null,
      from: null,
      to: null,
      cover: null,
      stage,
      version: 1,
      events: [],
    })
    expect(mayDo(swap('requested'), '8002', false)).toEqual({
      agree: true,
      withdraw: false,
      approve: false,
      refuse: true,
    })
    expect(mayDo(swap('requested'), 'lead', true).approve).toBe(false)
    expect(mayDo(swap('agreed'), 'lead', true)).toEqual({
      agree: false,
      withdraw: false,
      approve: true,
      refuse: true,
    })
    expect(mayDo(swap('agreed'), '8001', true).approve).toBe(false)
    expect(Object.values(mayDo(swap('approved'), 'lead', true))).toEqual([false, false, false, false])
    expect(mayDo({ ...swap('requested'), other: null }, 'office', true).approve).toBe(true)
  })
  it('counts who is planned and not logged in', () => {
    const there = { '8001': { state: 'ready' }, '8002': { state: 'offline' } }
    expect(absent(['8001', '8002', '8003'], there)).toBe(2)
    expect(absent([], there)).toBe(0)
  })
  it('swaps turns of work that are still to come', () => {
    const duty = (date: string, kind: string) => ({ date, shift: 'early', kind, from: '', to: '' })
    const me = {
      id: '8001',
      name: '',
      lead: false,
      always: false,
      leave: [],
      duties: [duty('2026-11-22', 'work'), duty('2026-11-23', 'work'), duty('2026-11-24', 'on_call')],
    }
    expect(turns(me, '2026-11-23').map((d) => d.date)).toEqual(['2026-11-23'])
    expect(turns(undefined, '2026-11-23')).toEqual([])
  })
  it('says which hand-over is to be signed, and by whom not', () => {
    const turn = (at: string, state: HandoverTurn['state'], out: string | null): HandoverTurn => ({
      turn: at,
      at,
      state,
      outgoing: ['lead'],
      incoming: ['lead2'],
      out: out ? { by: out, at, stands_in: false } : null,
      in: null,
      due_at: null,
      overdue: false,
    })
    const newest = turn('16:00', 'writing', null)
    const open = turn('08:00', 'offered', 'lead')
    expect(openTurn([newest, open, turn('00:00', 'taken', 'lead')])).toBe(open)
    expect(openTurn([turn('08:00', 'taken', 'lead')])?.state).toBe('taken')
    expect(openTurn([])).toBeNull()
    expect(mayNotSign(newest, 'out', 'lead')).toBe(false)
    expect(mayNotSign(newest, 'out', 'boss'), 'he stands in').toBe(false)
    expect(mayNotSign(newest, 'out', 'lead2')).toBe(true)
    expect(mayNotSign(newest, 'in', 'lead2'), 'nothing is offered').toBe(true)
    expect(mayNotSign(open, 'in', 'lead2')).toBe(false)
    expect(mayNotSign(open, 'in', 'lead'), 'nobody takes over from himself').toBe(true)
  })
})
