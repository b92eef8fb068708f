import { describe, expect, it } from 'vitest'
import { RequestFailed } from '../api/http'
import { changed, faults, loudness, skills, skillsText, tabsOf, words } from './admin'

describe('administration', () => {
  it('gives each role its tabs', () => {
    expect(tabsOf(['admin'])).toHaveLength(7)
    expect(tabsOf(['lead', 'agent'])).toEqual(['numbers', 'sessions', 'outbox'])
    expect(tabsOf(['office'])).toEqual(['sessions', 'outbox'])
    expect(tabsOf(['agent'])).toEqual([])
  })
  it('sends only what was changed', () => {
    const before = { unit: 'rl', days: ['workday'], rank: 1 }
    expect(changed(before, { unit: 'rl', days: ['workday', 'holiday'], rank: 1 })).toEqual({
      days: ['workday', 'holiday'],
    })
    expect(changed(before, { ...before })).toEqual({})
  })
  it('puts faults at their fields and keeps what has none', () => {
    const refused = new RequestFailed({
      status: 422,
      title: 'Nothing was changed',
      errors: [{ field: 'number', code: 'dial_refused', detail: 'number: not allowed' }],
      problems: ['number: not allowed', 'another'],
    })
    expect(faults(refused)).toEqual({
      fields: { number: { code: 'dial_refused', detail: 'number: not allowed' } },
      rest: ['another'],
    })
    const flow = new RequestFailed({ status: 422, title: 'x', problems: ['main.toml:3:1: no node'] })
    expect(faults(flow).rest).toEqual(['main.toml:3:1: no node'])
    expect(faults(new RequestFailed({ status: 409, title: 'It exists already' })).rest).toEqual([
      'It exists already',
    ])
    expect(faults(new Error('gone')).rest[0]).toContain('gone')
  })
  it('reads skills as people type them and refuses what it cannot read', () => {
    expect(skills('方言 3，english:2, 老年')).toEqual({ 方言: 3, english: 2, 老年: 1 })
    expect(skills('')).toEqual({})
    for (const wrong of ['方言 0', '方言 十', 'a b c']) expect(skills(wrong), wrong).toBeNull()
    expect(skills(skillsText({ 方言: 3, english: 2 }))).toEqual({ 方言: 3, english: 2 })
  })
  it('splits lists and judges loudness', () => {
    expect(words('main， business elderly')).toEqual(['main', 'business', 'elderly'])
    expect([-40, -20, -8].map(loudness)).toEqual(['quiet', 'fine', 'loud'])
  })
})
