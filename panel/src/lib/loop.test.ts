import { describe, expect, it } from 'vitest'
import type { Ticket } from '../api/types'
import desk from '../i18n/desks.zh-CN.json'
import {
  agreement,
  assisting,
  blank,
  bodyOf,
  candidates,
  DISPATCH,
  FORMS,
  inBulk,
  missing,
  OFFICE,
  ordered,
  replyLacks,
  UNIT,
  visitHour,
} from './loop'

const ticket = (more: Partial<Ticket> = {}) => ({ assist: [], brief: '转办', ...more }) as unknown as Ticket

describe('deeds', () => {
  it('stand in one order, and only those the server names', () => {
    expect(ordered(['reject', 'dispatch', 'something_new', 'ask_clarification'])).toEqual([
      'dispatch',
      'ask_clarification',
      'reject',
    ])
    expect(ordered(undefined)).toEqual([])
  })
  it('have words for each name, field and choice', () => {
    const words = desk as unknown as Record<string, Record<string, Record<string, string>>>
    for (const [name, fields] of Object.entries(FORMS)) {
      expect(words.act?.name?.[name], name).toBeTruthy()
      for (const f of fields) {
        expect(words.act?.field?.[f.name], f.name).toBeTruthy()
        // Others have their words elsewhere.
        if (!['urgency', 'secrecy', 'notify', 'special'].includes(f.name))
          for (const o of f.options ?? []) expect(words.pick?.[f.name]?.[o], `${f.name} ${o}`).toBeTruthy()
      }
    }
  })
  it('ask for what is needed before anything is sent', () => {
    const fields = FORMS.ask_return ?? []
    expect(missing(fields, { basis: ' ', to: 'gd', text: '' })).toEqual(['basis'])
    expect(missing(FORMS.visit ?? [], { contacted: false, solved: 'no', satisfied: 'not' })).toEqual([])
  })
  it('send what was written: numbers as numbers, times in the zone of the service, nothing that is empty', () => {
    const fields = FORMS.contact ?? []
    const before = blank(fields, ticket())
    expect(before).toEqual({ at: '', how: '', what: '', text: '' })
    const values = { at: '2026-11-23T09:30', how: 'phone', text: ' 约好下午上门 ' }
    expect(bodyOf(fields, values, before)).toEqual({
      at: '2026-11-23T09:30:00+08:00',
      how: 'phone',
      text: '约好下午上门',
    })
    expect(bodyOf(FORMS.ask_extension ?? [], { workdays: '3', reason: 'x' }, {})).toEqual({
      workdays: 3,
      reason: 'x',
    })
  })
  it('leave alone what was only shown', () => {
    const fields = FORMS.dispatch ?? []
    const before = blank(fields, ticket({ lead: 'rl' }))
    expect(bodyOf(fields, { ...before }, before)).toEqual({ lead: 'rl' })
    expect(bodyOf(fields, { ...before, brief: '改过' }, before)).toEqual({ lead: 'rl', brief: '改过' })
  })
  it('keep urgent matters out of the many at once', () => {
    expect(inBulk({ urgency: 'U' })).toBe(false)
    expect(inBulk({ urgency: 'N' })).toBe(true)
  })
})

describe('boxes', () => {
  it.each([
    ['dispatch', DISPATCH],
    ['unit', UNIT],
    ['office', OFFICE],
  ])('of %s have words', (_, boxes) => {
    const words = desk as unknown as Record<string, Record<string, string>>
    for (const box of boxes) expect(words.box?.[box.name], box.name).toBeTruthy()
  })
  it('tell a reply that waits for its head from one that waits for the dispatcher', () => {
    const reply = { text: '', claim: 'solved', by: 'rl', at: '2026-11-23T09:00:00+08:00' }
    const of = (signed_at: string | null) => ticket({ state: 'replied', reply: { ...reply, signed_at } })
    const only = (boxes: typeof UNIT, name: string) => boxes.find((b) => b.name === name)?.only
    expect(only(UNIT, 'to_seal')?.(of(null), 0)).toBe(true)
    expect(only(DISPATCH, 'review')?.(of(null), 0)).toBe(false)
    expect(only(UNIT, 'todo')?.(of('2026-11-23T10:00:00+08:00'), 0)).toBe(false)
    expect(only(DISPATCH, 'review')?.(of('2026-11-23T10:00:00+08:00'), 0)).toBe(true)
  })
  it('call late what is over its next deadline', () => {
    const is = OFFICE.find((b) => b.name === 'late')?.only
    const due = ticket({ next_due_at: '2026-11-23T09:00:00+08:00' })
    expect(is?.(due, Date.parse('2026-11-23T09:00:01+08:00'))).toBe(true)
    expect(is?.(due, Date.parse('2026-11-23T08:59:59+08:00'))).toBe(false)
    expect(is?.(ticket({ due_at: null }), 0)).toBe(false)
  })
})

describe('whom it is proposed to', () => {
  const leaf = { code: '040104', lead: 'xfjy', assist: ['street'] }
  it('is the catalogue first, then who was written down, then the street', () => {
    const of = ticket({ lead: 'zjw', category: '040104', street: '110102007' })
    expect(candidates(of, leaf)).toEqual([
      { unit: 'xfjy', why: 'list' },
      { unit: 'zjw', why: 'agent' },
      { unit: 'st007', why: 'territory' },
    ])
    expect(assisting(of, leaf, 'xfjy')).toEqual(['st007'])
  })
  it('is never whom it complains about', () => {
    const of = ticket({ lead: 'xfjy', street: '110102007', complained: { unit: 'xfjy' } })
    expect(candidates(of, leaf).map((c) => c.unit)).toEqual(['st007'])
    expect(assisting({ ...of, complained: { unit: 'st007' } } as Ticket, leaf, 'xfjy')).toEqual([])
  })
  it('is nobody where nothing is known', () => {
    expect(candidates(ticket({ lead: null, street: null }), undefined)).toEqual([])
  })
})

describe('the reply and the verdict', () => {
  it('lacks what has not been done, in its order', () => {
    expect(replyLacks({ contacts: [] }, { report: '', text: 'x', claim: '' })).toEqual([
      'contact',
      'report',
      'claim',
    ])
    const contacts = [{ at: '', how: 'phone', by: 'rl' }]
    expect(replyLacks({ contacts }, { report: 'r', text: 't', claim: 'solved' })).toEqual([])
  })
  it('agree or differ, and say neither before somebody was asked', () => {
    const reply = { text: '', claim: 'solved', by: 'rl', at: '' }
    const visit = { at: '2026-11-23T09:00:00+08:00', contacted: true, solved: 'yes', matches: true }
    expect(agreement({ reply, visit: null })).toBeNull()
    expect(agreement({ reply, visit })).toBe('agrees')
    expect(agreement({ reply, visit: { ...visit, solved: 'no' } })).toBe('differs')
    expect(agreement({ reply, visit: { ...visit, contacted: false } })).toBe('differs')
    const explained = { ...reply, claim: 'explained' }
    expect(agreement({ reply: explained, visit: { ...visit, solved: 'no' } })).toBe('agrees')
  })
})

describe('the hours for a call back', () => {
  const at = (time: string) => Date.parse(`2026-11-23T${time}:00+08:00`)
  it.each([
    ['08:59', false, 'night'],
    ['09:00', true, 'day'],
    ['11:59', true, 'day'],
    ['12:00', false, 'noon'],
    ['14:00', true, 'day'],
    ['18:00', true, 'evening'],
    ['20:00', false, 'night'],
  ])('%s', (time, ok, why) => expect(visitHour({}, at(time), null)).toEqual({ ok, why }))
  it('are one evening only, and the citizen’s own before ours', () => {
    const tries = [{ at: '2026-11-22T18:30:00+08:00', by: 'visitor', result: 'unreachable' }]
    expect(visitHour({ visit: { tries } }, at('18:10'), null).why).toBe('tried_evening')
    expect(visitHour({ safe_time: '12:00-13:00' }, at('12:30'), null)).toEqual({
      ok: true,
      why: 'safe_time',
    })
    expect(visitHour({ safe_time: '12:00-13:00' }, at('09:30'), 'not_now').ok).toBe(false)
    expect(visitHour({}, at('09:30'), 'text_only')).toEqual({ ok: false, why: 'text_only' })
  })
})
