import { describe, expect, it } from 'vitest'
import { back, cutFor, stood } from './back'
import type { Card } from './frames'
import { nowhere, type World } from './model'

const card = (more: Partial<Card> = {}): Card => ({
  call: 'c-1',
  direction: 'inbound',
  queue: 'main',
  caller: '12000000055',
  called: '12341',
  ticket: 't-1',
  ticket_no: null,
  ticket_code: null,
  state: 'talking',
  arrived_at: '2026-11-23T09:00:00+08:00',
  queued_at: null,
  answered_at: '2026-11-23T09:00:09+08:00',
  path: [],
  urgent: false,
  recording_paused: false,
  others: [],
  ...more,
})
const world = (state: World['me']['state'], more: Partial<World> = {}): World => ({
  ...nowhere,
  whole: true,
  device: 'browser',
  hello: { agent: '8001' } as World['hello'],
  me: { state, since: '' },
  ...more,
})

describe('how a tab stood', () => {
  it('keeps the call whose ticket is being written', () => {
    expect(stood(world('on_call', { calls: [card()] }), null, 5)).toEqual({
      agent: '8001',
      device: 'browser',
      ready: true,
      at: 5,
      cut: card(),
    })
    const ended = stood(world('wrap_up', { last: card({ ticket_no: '202611230007' }) }), null, 5)
    expect(ended.cut?.ticket_no).toBe('202611230007')
  })
  it('has nothing to write between calls, or for a colleague who asked', () => {
    expect(stood(world('ready', { last: card() }), null, 5).cut).toBeNull()
    expect(stood(world('on_call', { calls: [card({ state: 'consulting' })] }), null, 5).cut).toBeNull()
  })
  it('keeps what was cut off before, and the wish behind it', () => {
    expect(stood(world('not_ready'), card(), 5)).toMatchObject({ ready: true, cut: card() })
    expect(stood(world('not_ready'), null, 5)).toMatchObject({ ready: false, cut: null })
  })
  it('counts for a minute, and for nobody else', () => {
    const kept = JSON.stringify(stood(world('ready'), null, 1000))
    expect(back(kept, '8001', 60_000)?.ready).toBe(true)
    expect(back(kept, '8001', 62_000)).toBeNull()
    expect(back(kept, '8002', 60_000)).toBeNull()
    expect(back(null, '8001', 0)).toBeNull()
    const cut = JSON.stringify({ agent: '8001', card: card() })
    expect([cutFor(cut, '8001'), cutFor(cut, '8002'), cutFor(null, '8001')]).toEqual([card(), null, null])
  })
})
