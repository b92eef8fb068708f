import { describe, expect, it } from 'vitest'
import en from '../i18n/en.json'
import zh from '../i18n/zh-CN.json'
import { clock } from '../lib/format'
import type { Card } from './frames'
import { face, type Control, type Ears, type FaceName, type Sight } from './face'
import { nowhere, type World } from './model'

const NOW = Date.parse('2026-11-23T09:30:00.000+08:00')
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString()
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
  arrived_at: ago(200),
  queued_at: ago(198),
  answered_at: ago(192),
  path: [],
  urgent: false,
  recording_paused: false,
  others: [],
  ...more,
})
const ears: Ears = { path: 'up', pathSince: 0, microphone: 'live', muted: false, sound: 'good' }
const see = (
  world: Partial<World>,
  more: Partial<Omit<Sight, 'world' | 'ears'>> & { ears?: Partial<Ears> } = {},
) =>
  face({
    link: { is: 'open', since: 0 },
    now: NOW,
    queue: () => '主队列',
    clock,
    phone: null,
    cut: false,
    ...more,
    world: { ...nowhere, whole: true, me: { state: 'ready', since: ago(64) }, ...world },
    ears: { ...ears, ...more.ears },
  })
const talking: Partial<World> = { me: { state: 'on_call', since: ago(192) }, calls: [card()] }
const TALK: Control[] = [
  'mute',
  'hold',
  'consult',
  'transfer',
  'conference',
  'record_pause',
  'keypad',
  'assist',
  'crisis',
  'hangup',
]
const SESSION: NonNullable<Card['session']> = {
  id: 'ls-7',
  unit: 'rl',
  part: 'leader',
  listens: false,
  recorder: '8003',
}
const down = { is: 'down', since: NOW - 4000, tries: 2, next: NOW } as const

/** One row a state of `softphone-states`: what is the case, and what the bar shows. Titles and lines are i18n keys. */
const TABLE: [string, ReturnType<typeof see>, FaceName, string, string[], string[], Control[]][] = [
  ['ready', see({}), 'ready', 'ok', ['ready'], ['ready_line'], ['not_ready', 'break', 'dial']],
  [
    'not ready',
    see({ me: { state: 'not_ready', reason: 'meal', since: ago(740) } }),
    'not_ready',
    'grey',
    ['not_ready'],
    ['not_ready_line'],
    ['dial', 'ready'],
  ],
  [
    'break asked',
    see({ breakAsked: { reason: 'meal', ahead: 1 } }),
    'ready',
    'ok',
    ['break_asked'],
    ['break_ahead'],
    ['break_withdraw'],
  ],
  [
    'offered, automatic',
    see({
      me: { state: 'offered', since: ago(0) },
      calls: [card({ state: 'offered' })],
      offer: { call: 'c1', answer_by: ago(-7), auto_answer_at: ago(-1) },
    }),
    'offered_auto',
    'acc',
    ['offered'],
    ['offered_auto'],
    [],
  ],
  [
    'offered, ringing',
    see({
      me: { state: 'offered', since: ago(0) },
      calls: [card({ state: 'offered' })],
      offer: { call: 'c1', answer_by: ago(-6.5), auto_answer_at: null },
    }),
    'offered_ring',
    'acc',
    ['offered'],
    ['offered_ring'],
    ['answer'],
  ],
  ['talking', see(talking), 'on_call', 'live', ['on_call'], ['sound_good', 'recording'], TALK],
  [
    'muted',
    see(talking, { ears: { muted: true } }),
    'muted',
    'live',
    ['on_call', 'is_muted'],
    ['muted_line'],
    ['unmute', ...TALK.slice(1)],
  ],
  [
    'help asked',
    see({ ...talking, assist: { call: 'c1', since: ago(8) } }),
    'on_call',
    'live',
    ['on_call'],
    ['assist_asked', 'recording'],
    TALK.map((c) => (c === 'assist' ? 'assist_cancel' : c)),
  ],
  [
    'crisis',
    see({ ...talking, crisis: 'c1', monitors: { c1: { lead: 'listen' } } }),
    'crisis',
    'live',
    ['crisis', 'crisis_joined'],
    ['crisis_line', 'crisis_unheard'],
    ['mute', 'conference', 'police', 'keypad', 'hangup'],
  ],
  [
    'recording paused',
    see({ ...talking, calls: [card({ recording_paused: true })], pausedSince: { c1: ago(12) } }),
    'on_call',
    'live',
    ['recording_paused'],
    ['sound_good', 'recording_marked'],
    TALK.map((c) => (c === 'record_pause' ? 'record_resume' : c)),
  ],
  [
    'held',
    see({ ...talking, calls: [card({ state: 'held' })], heldSince: { c1: ago(48) } }),
    'held',
    'hold',
    ['held'],
    ['held_line'],
    ['retrieve', 'consult', 'transfer', 'conference', 'keypad', 'assist', 'crisis', 'hangup'],
  ],
  [
    'a head of a department: three things and no more',
    see({ ...talking, calls: [card({ session: SESSION })] }),
    'on_call',
    'live',
    ['on_call'],
    ['recorder_line'],
    ['hold', 'to_recorder'],
  ],
  [
    'the same, with the citizen on hold',
    see({ ...talking, calls: [card({ state: 'held', session: SESSION })], heldSince: { c1: ago(5) } }),
    'held',
    'hold',
    ['held'],
    ['recorder_line'],
    ['retrieve', 'to_recorder'],
  ],
  [
    'the same, with nobody who records',
    see({ ...talking, calls: [card({ session: { ...SESSION, recorder: null } })] }),
    'on_call',
    'live',
    ['on_call'],
    ['recorder_missing'],
    ['hold', 'hangup'],
  ],
  [
    'his recorder listens',
    see({ ...talking, calls: [card({ session: { ...SESSION, part: 'recorder', listens: true } })] }),
    'listening',
    'live',
    ['listening'],
    ['listening_line'],
    ['assist'],
  ],
  [
    'his recorder has taken the citizen over',
    see({ ...talking, calls: [card({ session: { ...SESSION, part: 'recorder' } })] }),
    'on_call',
    'live',
    ['on_call'],
    ['sound_good', 'recording'],
    TALK,
  ],
  [
    'consulting',
    see({
      ...talking,
      calls: [card({ state: 'held' }), card({ call: 'c2', state: 'consulting' })],
      consult: { call: 'c1', to: 'x', since: ago(21) },
    }),
    'consult',
    'live',
    ['consult'],
    ['consult_line'],
    ['back_to_citizen', 'complete_transfer', 'to_conference', 'mute', 'assist', 'crisis', 'hangup'],
  ],
  [
    'conference',
    see({ ...talking, calls: [card({ state: 'conference', others: ['12000000001', '110'] })] }),
    'conference',
    'live',
    ['conference'],
    ['conference_line'],
    ['mute', 'invite', 'leave', 'record_pause', 'assist', 'crisis', 'hangup'],
  ],
  [
    'monitored',
    see({ ...talking, monitors: { c1: { lead: 'whisper' } } }),
    'on_call',
    'live',
    ['on_call'],
    ['whispered', 'recording'],
    TALK,
  ],
  [
    'wrap-up',
    see({ me: { state: 'wrap_up', since: ago(34), wrap_up_until: ago(-56) } }),
    'wrap_up',
    'wrap',
    ['wrap_up'],
    ['wrap_left', 'wrap_rule', 'wrap_extended'],
    ['extend', 'finish'],
  ],
  [
    'not responding',
    see({ me: { state: 'not_responding', since: ago(9) } }),
    'not_responding',
    'bad',
    ['not_responding'],
    ['not_responding_line'],
    ['recover'],
  ],
  [
    'line lost, audio flows',
    see(talking, { link: down }),
    'line_lost',
    'recon',
    ['line_lost'],
    ['line_lost_line'],
    [],
  ],
  [
    'line lost, the desk phone has the sound',
    see({ ...talking, device: '8001' }, { link: down, ears: { path: 'off' } }),
    'line_lost',
    'recon',
    ['line_lost'],
    ['line_lost_line'],
    [],
  ],
  [
    'line lost before the sound is back',
    see(talking, { link: down, ears: { path: 'off' } }),
    'both_lost',
    'bad',
    ['both_lost'],
    ['both_lost_call'],
    ['retry'],
  ],
  [
    'taken over, then the line lost',
    see({ ...talking, takenOver: '2026-11-23T09:40:00+08:00' }, { link: down }),
    'taken_over',
    'grey',
    ['taken_over'],
    ['taken_over_line', 'connecting'],
    [],
  ],
  [
    'audio lost',
    see(talking, { ears: { path: 'lost', pathSince: NOW - 4000 } }),
    'audio_lost',
    'recon',
    ['audio_lost'],
    ['audio_lost_line'],
    [],
  ],
  [
    'both lost',
    see(talking, { link: down, ears: { path: 'lost' } }),
    'both_lost',
    'bad',
    ['both_lost'],
    ['both_lost_call'],
    ['retry'],
  ],
  [
    'line lost, no call',
    see({}, { link: down }),
    'both_lost',
    'bad',
    ['both_lost'],
    ['both_lost_line'],
    ['retry'],
  ],
  [
    'no microphone',
    see({}, { ears: { microphone: 'denied' } }),
    'no_microphone',
    'bad',
    ['no_microphone'],
    ['no_microphone_line'],
    ['how', 'recheck'],
  ],
  [
    'no microphone, desk phone',
    see({}, { ears: { microphone: 'ended' }, phone: '8001' }),
    'no_microphone',
    'bad',
    ['no_microphone'],
    ['no_microphone_ended'],
    ['how', 'desk_phone', 'recheck'],
  ],
  [
    'taken over',
    see({ takenOver: '2026-11-23T09:40:00+08:00' }),
    'taken_over',
    'grey',
    ['taken_over'],
    ['taken_over_line'],
    ['take_over'],
  ],
  [
    'not logged in',
    see({ me: { state: 'offline', since: '' } }),
    'offline',
    'grey',
    ['offline'],
    ['offline_line'],
    ['login'],
  ],
  ['connecting', see({ whole: false }), 'connecting', 'grey', ['connecting'], ['connecting_line'], []],
]

describe('the softphone bar', () => {
  it.each(TABLE)('%s', (_, shown, name, tone, title, line, controls) => {
    expect([shown.name, shown.tone]).toEqual([name, tone])
    expect(shown.title.map((w) => w.key)).toEqual(title)
    expect(shown.line.map((w) => w.key)).toEqual(line)
    expect(shown.controls).toEqual(controls)
  })

  it('has a word for everything it can show, in both languages', () => {
    for (const [, shown] of TABLE) {
      for (const { key } of [...shown.title, ...shown.line])
        expect(
          [zh.phone, en.phone].map((t) => key in t),
          key,
        ).toEqual([true, true])
      for (const c of shown.controls)
        expect(
          [zh.control, en.control].map((t) => c in t),
          c,
        ).toEqual([true, true])
    }
  })

  it('counts an offer down and a wrap-up', () => {
    const ring = (left: number) =>
      see({
        calls: [card({ state: 'offered' })],
        offer: { call: 'c1', answer_by: ago(-left), auto_answer_at: null },
      }).ring
    expect([ring(7.6), ring(0.2), ring(-3)]).toEqual([
      { left: 8, of: 8 },
      { left: 1, of: 8 },
      { left: 0, of: 8 },
    ])
    expect(
      see({ wrapMs: 90_000, me: { state: 'wrap_up', since: ago(45), wrap_up_until: ago(-45) } }).meter,
    ).toBe(0.5)
    expect(see({ me: { state: 'wrap_up', since: ago(99), wrap_up_until: ago(9) } }).line[0]?.key).toBe(
      'wrap_over',
    )
  })

  it('never offers what takes the citizen away by mistake in a crisis', () => {
    const shown = see({ ...talking, crisis: 'c1' })
    expect(shown.controls).not.toContain('transfer')
    expect(shown.controls).not.toContain('hold')
  })

  it('asks for the ticket of a call that a restart cut off', () => {
    const shown = see({ me: { state: 'not_ready', since: ago(1) } }, { cut: true })
    expect([shown.title[0]?.key, shown.controls]).toEqual(['cut', ['finish']])
    expect(see(talking, { cut: true }).name).toBe('on_call')
  })

  it('says that a ready agent with no sound gets no calls', () => {
    expect(see({}, { ears: { path: 'lost' } }).line.map((w) => w.key)).toContain('audio_deaf')
    expect(see(talking, { ears: { microphone: 'ended' } }).line[0]?.key).toBe('no_microphone_call')
  })
})
