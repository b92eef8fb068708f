import { describe, expect, it } from 'vitest'
import { path, rows } from './timeline'

const at = '2026-11-23T09:30:00+08:00'
const walk = [
  { at, kind: 'call_arrived', data: { call: 'c-1', trunk: 'demo', caller: '120', private: false } },
  {
    at,
    kind: 'step',
    data: { input: 'begin', trail: [{ entered: 'welcome' }, { prompt: 'welcome_short' }] },
  },
  {
    at,
    kind: 'step',
    data: { input: 'digit', key: '*', trail: [{ left: 'welcome', outcome: '1' }, { entered: 'status' }] },
  },
  { at, kind: 'call_ended', data: { reason: 'caller_hung_up', fault: 'caller' } },
]

describe('timeline', () => {
  it('turns a step into what came in and where it led', () => {
    expect(rows(walk).map((r) => [r.kind, r.facts])).toEqual([
      ['call_arrived', ['120', 'demo']],
      ['entered', ['welcome']],
      ['prompt', ['welcome_short']],
      ['digit', ['*']],
      ['entered', ['status']],
      ['call_ended', ['caller_hung_up', 'fault caller']],
    ])
  })
  it('tells the reason first and leaves noughts out', () => {
    const data = { duration_ms: 900, sip_status: 0, reason: 'flow_ended' }
    expect(rows([{ at, kind: 'call_ended', data }])[0]?.facts).toEqual(['flow_ended', 'duration_ms 900'])
    expect(rows([{ at, kind: 'queue_entered', data: { queue: 'main', ahead: 0 } }])[0]?.facts).toEqual([
      'main',
      'ahead 0',
    ])
  })
  it('is not alarmed when the caller hangs up, and is when we fail', () => {
    expect(rows(walk).at(-1)?.tone).toBe('plain')
    expect(rows([{ at, kind: 'call_ended', data: { fault: 'us' } }])[0]?.tone).toBe('bad')
  })
  it('draws an event it does not know instead of losing it', () => {
    expect(rows([{ at, kind: 'something_new', data: { n: 3 } }])[0]).toMatchObject({
      icon: 'dash',
      facts: ['n 3'],
    })
  })
  it('reads the way from the call when it is told there, else from the steps', () => {
    expect(path(walk)).toEqual(['welcome', 'status'])
    expect(path([], ['a', 'b'])).toEqual(['a', 'b'])
    expect(path([], 'a → b')).toEqual(['a', 'b'])
    expect(path([])).toEqual([])
  })
})
