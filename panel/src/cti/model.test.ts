import { describe, expect, it } from 'vitest'
import type { Card, EventFrame, Events, Snapshot } from './frames'
import { citizens, current, nowhere, offered, party, reduce, type Done, type World } from './model'

const AT = '2026-11-23T09:30:00.000+08:00'
const card = (more: Partial<Card> = {}): Card => ({
  call: 'c1',
  direction: 'inbound',
  queue: 'main',
  caller: '12000000001',
  called: '12341',
  ticket: 'c1',
  ticket_no: null,
  ticket_code: null,
  state: 'talking',
  arrived_at: AT,
  queued_at: AT,
  answered_at: AT,
  path: [],
  urgent: false,
  recording_paused: false,
  others: [],
  ...more,
})
const ev = <E extends keyof Events>(event: E, data: Events[E], at = AT) =>
  ({ event, at, seq: 1, data }) as EventFrame
const done = (cmd: Done['done'], more: Partial<Done> = {}): Done => ({ done: cmd, at: AT, ...more })
const snapshot = (more: Partial<Snapshot> = {}): EventFrame =>
  ev('snapshot', {
    agent: '8001',
    state: 'ready',
    since: AT,
    device: 'browser',
    break_pending: null,
    calls: [],
    offer: null,
    queues: [],
    colleagues: [],
    ...more,
  })
const hello = ev('hello', {
  protocol: 1,
  heartbeat_ms: 5000,
  agent: '8001',
  session: 4,
  acting: true,
  resume: 0,
})
const play = (...happened: Parameters<typeof reduce>[1][]): World =>
  [hello, snapshot(), ...happened].reduce(reduce, nowhere)
const offer = ev('call.offered', {
  ...card({ state: 'offered', answered_at: null }),
  answer_by: AT,
  auto_answer_at: null,
})
const answered = ev('call.answered', card())

describe('the agent’s world', () => {
  it('is whole with a snapshot and replaced by the next', () => {
    expect(reduce(nowhere, hello).whole).toBe(false)
    const world = play(offer, snapshot())
    expect([world.whole, world.calls, world.offer]).toEqual([true, [], null])
  })

  it('has an offer until it is answered, rescinded or ended', () => {
    expect(offered(play(offer))?.call).toBe('c1')
    expect(current(play(offer))).toBeNull()
    expect(play(offer, ev('call.rescinded', { call: 'c1', reason: 'lost_race' }))).toMatchObject({
      offer: null,
      calls: [],
    })
    const world = play(offer, answered)
    expect([world.offer, current(world)?.call, world.calls.length]).toEqual([null, 'c1', 1])
    expect(
      play(offer, ev('call.ended', { call: 'c1', reason: 'caller_hung_up', wrap_up_until: null })).offer,
    ).toBeNull()
  })

  it('holds and retrieves', () => {
    const held = play(answered, ev('call.held', { call: 'c1' }))
    expect([held.calls[0]?.state, held.heldSince.c1]).toEqual(['held', AT])
    expect(reduce(held, ev('call.retrieved', { call: 'c1' }))).toMatchObject({
      calls: [{ state: 'talking' }],
      heldSince: {},
    })
  })

  it('keeps the citizen’s call as what it is about while somebody is consulted', () => {
    const world = play(
      answered,
      ev('call.held', { call: 'c1' }),
      done('call.consult', { call: 'c1', to: '热力西城值班' }),
      ev('call.answered', card({ call: 'c2', ticket: 'c2', state: 'consulting', direction: 'outbound' })),
    )
    expect([citizens(world)?.call, current(world)?.call, world.consult?.to]).toEqual([
      'c1',
      'c2',
      '热力西城值班',
    ])
    const over = reduce(world, ev('call.ended', { call: 'c2', reason: 'peer', wrap_up_until: null }))
    expect([over.consult, citizens(over)?.call]).toEqual([null, 'c1'])
    expect(reduce(world, done('call.transfer')).consult).toBeNull()
    // A reload knows it from the cards.
    const again = play(
      snapshot({
        state: 'on_call',
        calls: [card({ state: 'held' }), card({ call: 'c2', state: 'consulting', others: ['8004'] })],
      }),
    )
    expect([again.consult?.call, again.consult?.to, citizens(again)?.call]).toEqual(['c1', '8004', 'c1'])
  })

  it('is a conference while a third is there', () => {
    const three = play(
      answered,
      ev('call.joined', { call: 'c1', who: '110' }),
      ev('call.joined', { call: 'c1', who: '110' }),
    )
    expect([three.calls[0]?.state, party(three.calls[0]!)]).toEqual(['conference', ['110']])
    expect(reduce(three, ev('call.left', { call: 'c1', who: '110' })).calls[0]).toMatchObject({
      state: 'talking',
      others: [],
    })
    expect(play(answered, ev('call.joined', { call: 'c1', who: '12000000001' })).calls[0]?.state).toBe(
      'talking',
    )
  })

  it('keeps the number of a ticket that was changed, and tells which it was', () => {
    const told = { call: 'c1', ticket: 'c1', ticket_no: '261123000001', state: 'accepted' }
    const world = play(answered, ev('ticket.updated', told))
    expect(world.updated).toEqual(told)
    expect(world.calls[0]?.ticket_no).toBe('261123000001')
    const again = play(
      answered,
      ev('ticket.updated', told),
      ev('ticket.updated', { ...told, ticket_no: null }),
    )
    expect(again.calls[0]?.ticket_no).toBe('261123000001')
  })
  it('is in a crisis once its caller is marked suicidal', () => {
    const marked = (to: string) => reduce(play(answered), { done: 'call.mark', at: AT, call: 'c1', to })
    expect(marked('suicide').crisis).toBe('c1')
    expect(marked('minor').crisis).toBeNull()
  })
  it('goes to wrap-up with the call it is about', () => {
    const world = play(
      answered,
      ev('ticket.linked', { call: 'c1', ticket: 'c1', ticket_no: '261123000001', ticket_code: '123456' }),
      ev('call.ended', {
        call: 'c1',
        reason: 'caller_hung_up',
        wrap_up_until: '2026-11-23T09:31:30.000+08:00',
      }),
      ev('agent.state', {
        agent: '8001',
        state: 'wrap_up',
        since: AT,
        wrap_up_until: '2026-11-23T09:31:30.000+08:00',
      }),
    )
    expect(world).toMatchObject({
      calls: [],
      me: { state: 'wrap_up' },
      last: { call: 'c1', ticket_no: '261123000001', ticket_code: '123456' },
    })
  })

  it('counts extensions of one wrap-up', () => {
    const wrap = (until: string) =>
      ev('agent.state', { agent: '8001', state: 'wrap_up', since: AT, wrap_up_until: until })
    const world = play(
      answered,
      wrap('2026-11-23T09:31:30.000+08:00'),
      done('wrapup.extend'),
      wrap('2026-11-23T09:32:00.000+08:00'),
    )
    expect([world.extended, world.wrapMs]).toEqual([1, 120_000])
    expect(reduce(world, answered).extended).toBe(0)
  })

  it('tells colleagues’ states from its own', () => {
    const world = play(ev('agent.state', { agent: '8002', state: 'on_call', since: AT }))
    expect([world.me.state, world.colleagues['8002']?.state]).toEqual(['ready', 'on_call'])
    const away = reduce(
      world,
      ev('agent.state', { agent: '8002', state: 'not_ready', reason: 'meal', since: AT }),
    )
    expect(away.colleagues['8002']?.reason).toBe('meal')
    expect(
      reduce(away, ev('agent.state', { agent: '8002', state: 'ready', since: AT })).colleagues['8002']
        ?.reason,
    ).toBeUndefined()
  })

  it('asks for a break and has it granted', () => {
    const asked = play(ev('agent.break', { granted: false, reason: 'meal', ahead: 2 }))
    expect(asked.breakAsked).toEqual({ reason: 'meal', ahead: 2 })
    expect(
      reduce(asked, ev('agent.break', { granted: true, reason: 'meal', ahead: 0 })).breakAsked,
    ).toBeNull()
    expect(reduce(asked, done('agent.break_withdraw')).breakAsked).toBeNull()
    expect(play(snapshot({ break_pending: 'rest' })).breakAsked).toEqual({ reason: 'rest', ahead: null })
  })

  it('knows who listens, and forgets it with the call', () => {
    const world = play(answered, ev('call.monitored', { call: 'c1', by: 'lead', how: 'whisper' }))
    expect(world.monitors).toEqual({ c1: { lead: 'whisper' } })
    expect(reduce(world, ev('call.monitored', { call: 'c1', by: 'lead', how: 'left' })).monitors).toEqual({
      c1: {},
    })
    expect(
      reduce(world, ev('call.ended', { call: 'c1', reason: 'x', wrap_up_until: null })).monitors,
    ).toEqual({})
  })

  it('keeps help, crisis and paused recording with their call', () => {
    const world = play(
      answered,
      done('assist.request', { call: 'c1' }),
      done('crisis.raise', { call: 'c1' }),
      done('recording.pause', { call: 'c1' }),
    )
    expect(world).toMatchObject({
      assist: { call: 'c1' },
      crisis: 'c1',
      pausedSince: { c1: AT },
      calls: [{ recording_paused: true }],
    })
    const again = reduce(world, snapshot({ state: 'on_call', calls: [card({ recording_paused: true })] }))
    expect(again).toMatchObject({ assist: { call: 'c1' }, crisis: 'c1', pausedSince: { c1: AT } })
    expect(reduce(world, snapshot())).toMatchObject({ assist: null, crisis: null, pausedSince: {} })
  })

  it('knows which page acts', () => {
    expect(play(ev('session.taken_over', { session: 9 })).takenOver).toBe(AT)
    expect(play(ev('session.taken_over', { session: 4 })).takenOver).toBeNull()
    expect(play(ev('session.taken_over', { session: 9 }), done('agent.login')).takenOver).toBeNull()
    expect(
      play(
        ev('media.quality', { session: 3, path: 'proven', round_trip_ms: 1, jitter_ms: 1, lost_permille: 0 }),
      ).quality,
    ).toBeNull()
  })

  it('keeps bounded alarms, newest first, until they are dealt with', () => {
    const many = Array.from({ length: 80 }, (_, n) =>
      ev('alarm', { kind: 'assist', call: null, agent: String(n), note: '' }),
    )
    const world = play(...many)
    expect([world.alarms.length, world.alarms[0]?.agent]).toEqual([50, '79'])
    expect(reduce(world, { dismiss: world.alarms[0]!.n }).alarms[0]?.agent).toBe('78')
  })

  it('leaves what was alone: the same facts give the same world, and nothing is changed in place', () => {
    const before = play(answered)
    const copy = structuredClone(before)
    reduce(before, ev('call.held', { call: 'c1' }))
    reduce(before, ev('call.joined', { call: 'c1', who: '110' }))
    reduce(before, done('recording.pause', { call: 'c1' }))
    expect(before).toEqual(copy)
  })

  it('takes no harm from what it does not know', () => {
    const world = play(answered)
    expect(reduce(world, { event: 'something.new', at: AT, seq: 9, data: {} } as unknown as EventFrame)).toBe(
      world,
    )
    expect(reduce(world, ev('call.held', { call: 'other' })).calls).toEqual(world.calls)
  })
})
