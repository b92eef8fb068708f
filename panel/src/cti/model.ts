// The agent's world as the server tells it: `reduce(world, what happened)` and nothing else. Pure; times stay as they came.
import type {
  AgentStateName,
  Card,
  Colleague,
  Command,
  EventFrame,
  Events,
  Hello,
  Offer,
  Quality,
  Queue,
  StateView,
} from './frames'

/** Alarms and notices kept. */
const KEPT = 50

export interface Alarm {
  n: number
  at: string
  kind: string
  call: string | null
  agent: string | null
  note: string
}

/** A talk with somebody else while the citizen waits. */
export interface Consult {
  /** The held call. */
  call: string
  to: string
  since: string
}

export interface World {
  hello: Hello | null
  /** A snapshot has come. */
  whole: boolean
  me: StateView
  device: string | null
  breakAsked: { reason: string; ahead: number | null } | null
  calls: Card[]
  offer: Offer | null
  queues: Record<string, Queue>
  colleagues: Record<string, Colleague>
  alarms: Alarm[]
  notices: { n: number; at: string; code: string; note: string }[]
  /** Since when a call is held, its recording paused; who listens to it and how. */
  heldSince: Record<string, string>
  pausedSince: Record<string, string>
  monitors: Record<string, Record<string, string>>
  consult: Consult | null
  assist: { call: string; since: string } | null
  crisis: string | null
  /** What the agent wants to be once his work is done; null: not known here. */
  wish: 'ready' | 'not_ready' | null
  /** The call that wrap-up is about. */
  last: Card | null
  extended: number
  /** How long wrap-up was to be, ms: the meter's whole. */
  wrapMs: number
  takenOver: string | null
  quality: Quality | null
  /** The agent a lead listens to, and how. */
  supervising: { agent: string; how: string; since: string } | null
  /** The ticket that was changed last. */
  updated: Events['ticket.updated'] | null
  count: number
}

export const nowhere: World = {
  hello: null,
  whole: false,
  me: { state: 'offline', since: '' },
  device: null,
  breakAsked: null,
  calls: [],
  offer: null,
  queues: {},
  colleagues: {},
  alarms: [],
  notices: [],
  heldSince: {},
  pausedSince: {},
  monitors: {},
  consult: null,
  assist: null,
  crisis: null,
  wish: null,
  last: null,
  extended: 0,
  wrapMs: 90_000,
  takenOver: null,
  quality: null,
  supervising: null,
  updated: null,
  count: 0,
}

/** A command of this page that was carried out: what the server needn't tell the one who asked. */
export interface Done {
  done: Command
  at: string
  call?: string | undefined
  /** The new call. */
  made?: string | undefined
  to?: string | undefined
}

export type Happened = EventFrame | Done | { dismiss: number }

export function reduce(world: World, happened: Happened): World {
  if ('dismiss' in happened) return { ...world, alarms: world.alarms.filter((a) => a.n !== happened.dismiss) }
  if ('done' in happened) return carriedOut(world, happened)
  const { at } = happened
  switch (happened.event) {
    case 'hello':
      return {
        ...world,
        hello: happened.data,
        takenOver: happened.data.acting ? null : (world.takenOver ?? at),
      }
    case 'snapshot':
      return fromSnapshot(world, happened.data, at)
    case 'agent.state':
      return agentState(world, happened.data)
    case 'agent.break':
      return {
        ...world,
        wish: happened.data.granted ? 'not_ready' : world.wish,
        breakAsked: happened.data.granted
          ? null
          : { reason: happened.data.reason, ahead: happened.data.ahead },
      }
    case 'session.taken_over':
      return { ...world, takenOver: happened.data.session === world.hello?.session ? null : at }
    case 'call.offered': {
      const { answer_by, auto_answer_at, ...card } = happened.data
      return {
        ...withCard(world, { ...card, state: 'offered' }),
        offer: { call: card.call, answer_by, auto_answer_at: auto_answer_at ?? null },
      }
    }
    case 'call.rescinded':
      return withoutCall(world, happened.data.call)
    case 'call.answered': {
      const card = happened.data
      // A callback that was taken goes on as the call that dials.
      const taken = card.callback && world.calls.some((c) => c.call === card.callback?.of)
      const before = taken ? withoutCall(world, card.callback?.of ?? '') : world
      const offer = before.offer?.call === card.call ? null : before.offer
      return { ...withCard(before, card), offer, last: card, extended: 0 }
    }
    case 'call.held':
      return {
        ...changed(world, happened.data.call, { state: 'held' }),
        heldSince: { ...world.heldSince, [happened.data.call]: at },
      }
    case 'call.retrieved': {
      const consult = world.consult?.call === happened.data.call ? null : world.consult
      return {
        ...changed(world, happened.data.call, (c) => ({
          state: party(c).length > 0 ? 'conference' : 'talking',
        })),
        heldSince: without(world.heldSince, happened.data.call),
        consult,
      }
    }
    case 'call.joined':
      return joined(world, happened.data)
    case 'call.left':
      return changed(world, happened.data.call, (c) => {
        const others = c.others.filter((who) => who !== happened.data.who)
        const state = c.state === 'conference' && party({ ...c, others }).length === 0 ? 'talking' : c.state
        return { others, state }
      })
    case 'call.monitored': {
      const { call, by, how } = happened.data
      const before = world.monitors[call] ?? {}
      const after = /^(left|ended?|stop|stopped|none)$/.test(how)
        ? without(before, by)
        : { ...before, [by]: how }
      return { ...world, monitors: { ...world.monitors, [call]: after } }
    }
    case 'call.ended':
      return ended(world, happened.data)
    case 'queue.stats':
      return { ...world, queues: { ...world.queues, [happened.data.queue]: happened.data } }
    case 'ticket.linked': {
      const { ticket_no, ticket_code, call } = happened.data
      const next = changed(world, call, { ticket_no, ticket_code })
      return next.last?.call === call ? { ...next, last: { ...next.last, ticket_no, ticket_code } } : next
    }
    case 'ticket.updated': {
      const { ticket_no, call } = happened.data
      const next = {
        ...changed(world, call, (c) => ({ ticket_no: ticket_no ?? c.ticket_no })),
        updated: happened.data,
      }
      const { last } = next
      return last?.call === call && ticket_no ? { ...next, last: { ...last, ticket_no } } : next
    }
    case 'media.quality':
      return happened.data.session === world.hello?.session ? { ...world, quality: happened.data } : world
    case 'alarm': {
      const alarm = { ...happened.data, at, n: world.count + 1 }
      return { ...world, count: alarm.n, alarms: [alarm, ...world.alarms].slice(0, KEPT) }
    }
    case 'roster.notice': {
      const notice = { ...happened.data, at, n: world.count + 1 }
      return { ...world, count: notice.n, notices: [notice, ...world.notices].slice(0, KEPT) }
    }
    default:
      return world
  }
}

/** Who is on the call beside the citizen and the agent. */
export const party = (card: Card): string[] =>
  card.others.filter((who) => who !== card.caller && who !== card.called)

/** The call the agent speaks on: not held before held. */
export function current(world: World): Card | null {
  const up = world.calls.filter((c) => c.state !== 'offered')
  return up.find((c) => c.state !== 'held') ?? up[0] ?? null
}

/** The citizen's call: the one a ticket belongs to. While consulting it is the held one. */
export function citizens(world: World): Card | null {
  const held = world.consult && world.calls.find((c) => c.call === world.consult?.call)
  return held || current(world)
}

export const offered = (world: World): Card | null =>
  world.offer ? (world.calls.find((c) => c.call === world.offer?.call) ?? null) : null

function fromSnapshot(world: World, s: Events['snapshot'], at: string): World {
  const { agent: _, device, break_pending, calls, offer, queues, colleagues, ...me } = s
  const up = (id: string) => calls.some((c) => c.call === id)
  const consulting = calls.find((c) => c.state === 'consulting')
  const heldCall = calls.find((c) => c.state === 'held')
  const kept = <T>(map: Record<string, T>) => Object.fromEntries(Object.entries(map).filter(([id]) => up(id)))
  const heldSince: Record<string, string> = kept(world.heldSince)
  for (const c of calls) if (c.state === 'held') heldSince[c.call] ??= at
  const pausedSince: Record<string, string> = kept(world.pausedSince)
  for (const c of calls) if (c.recording_paused) pausedSince[c.call] ??= at
  return {
    ...world,
    whole: true,
    me,
    wish: wishOf(world, me),
    device,
    breakAsked: break_pending ? (world.breakAsked ?? { reason: break_pending, ahead: null }) : null,
    calls,
    offer,
    queues: Object.fromEntries(queues.map((q) => [q.queue, q])),
    colleagues: Object.fromEntries(colleagues.map((c) => [c.agent, c])),
    heldSince,
    pausedSince,
    monitors: kept(world.monitors),
    consult: heldCall ? consultOf(world, heldCall, consulting, at) : null,
    assist: world.assist && up(world.assist.call) ? world.assist : null,
    crisis: world.crisis && up(world.crisis) ? world.crisis : null,
    last: calls.find((c) => c.state !== 'offered') ?? world.last,
    supervising: me.state === 'offline' ? null : world.supervising,
  }
}

/** Somebody is consulted while this call is held: what is known of it here, else what the other card tells. */
function consultOf(world: World, held: Card, consulting: Card | undefined, at: string): Consult | null {
  if (world.consult?.call === held.call) return world.consult
  if (!consulting) return null
  return {
    call: held.call,
    to: consulting.others[0] ?? consulting.called,
    since: consulting.answered_at ?? at,
  }
}

function agentState(world: World, told: Events['agent.state']): World {
  const { agent, ...state } = told
  if (agent !== world.hello?.agent) {
    const before = world.colleagues[agent] ?? {
      agent,
      device: null,
      call: null,
      state: 'offline',
      since: state.since,
    }
    const busy = state.state === 'on_call' || state.state === 'offered'
    const { reason: _, wrap_up_until: __, ...rest } = before
    const next: Colleague = { ...rest, ...state, call: busy ? before.call : null }
    return { ...world, colleagues: { ...world.colleagues, [agent]: next } }
  }
  const next: World = { ...world, me: state, wish: wishOf(world, state) }
  if (state.state === 'wrap_up') {
    if (world.me.state !== 'wrap_up') {
      next.extended = 0
      next.wrapMs = span(state)
    } else if (state.wrap_up_until !== world.me.wrap_up_until)
      next.wrapMs = Math.max(world.wrapMs, span(state))
  }
  if (state.state === 'not_ready' || state.state === 'offline') next.breakAsked = null
  if (state.state === 'offline')
    Object.assign(next, { calls: [], offer: null, consult: null, supervising: null })
  return next
}

/** Who is at work has not changed his mind by that. */
function wishOf(world: World, { state }: StateView): World['wish'] {
  if (state === 'ready' || state === 'not_ready') return state
  return state === 'offline' ? null : world.wish
}

const span = (s: StateView) =>
  s.wrap_up_until ? Math.max(1000, Date.parse(s.wrap_up_until) - Date.parse(s.since)) : 90_000

function joined(world: World, { call, who }: Events['call.joined']): World {
  return changed(world, call, (c) => {
    const others = c.others.includes(who) ? c.others : [...c.others, who]
    const state = c.state === 'talking' && party({ ...c, others }).length > 0 ? 'conference' : c.state
    return { others, state }
  })
}

function ended(world: World, { call, wrap_up_until }: Events['call.ended']): World {
  const card = world.calls.find((c) => c.call === call)
  const next = withoutCall(world, call)
  // The consulted party has gone: the citizen's call is still what it is about.
  const about = world.consult && world.consult.call !== call ? world.last : (card ?? world.last)
  const me: StateView =
    wrap_up_until && next.calls.length === 0 && world.me.state !== 'wrap_up'
      ? { ...world.me, wrap_up_until }
      : world.me
  return { ...next, last: about, me }
}

function withoutCall(world: World, call: string): World {
  return {
    ...world,
    calls: world.calls.filter((c) => c.call !== call),
    offer: world.offer?.call === call ? null : world.offer,
    heldSince: without(world.heldSince, call),
    pausedSince: without(world.pausedSince, call),
    monitors: without(world.monitors, call),
    // Whichever side has gone, there is nobody left to consult with; an offer that went is no side of it.
    consult: world.calls.some((c) => c.call === call && c.state !== 'offered') ? null : world.consult,
    assist: world.assist?.call === call ? null : world.assist,
    crisis: world.crisis === call ? null : world.crisis,
  }
}

/** What the server's `ok` means where no event says it. */
function carriedOut(world: World, d: Done): World {
  const call = d.call ?? citizens(world)?.call ?? ''
  switch (d.done) {
    case 'agent.login':
      return { ...world, takenOver: null }
    case 'agent.ready':
      return { ...world, wish: 'ready' }
    case 'agent.not_ready':
      return { ...world, wish: 'not_ready' }
    case 'agent.break_withdraw':
      return { ...world, breakAsked: null }
    case 'wrapup.extend':
      return { ...world, extended: world.extended + 1 }
    case 'recording.pause':
      return {
        ...changed(world, call, { recording_paused: true }),
        pausedSince: { ...world.pausedSince, [call]: d.at },
      }
    case 'recording.resume':
      return {
        ...changed(world, call, { recording_paused: false }),
        pausedSince: without(world.pausedSince, call),
      }
    case 'assist.request':
      return { ...world, assist: { call, since: d.at } }
    case 'assist.cancel':
      return { ...world, assist: null }
    case 'crisis.raise':
      return { ...world, crisis: call }
    case 'call.mark':
      return d.to === 'suicide' ? { ...world, crisis: call } : world
    case 'call.consult':
      return { ...world, consult: { call, to: d.to ?? '', since: d.at } }
    case 'call.transfer':
    case 'call.conference':
    case 'call.complete':
      return { ...world, consult: null }
    case 'supervisor.listen':
    case 'supervisor.whisper':
    case 'supervisor.barge':
    case 'supervisor.takeover':
      return {
        ...world,
        supervising: { agent: d.to ?? '', how: d.done.slice('supervisor.'.length), since: d.at },
      }
    case 'call.hangup':
      return { ...world, supervising: null }
    default:
      return world
  }
}

function withCard(world: World, card: Card): World {
  const at = world.calls.findIndex((c) => c.call === card.call)
  const calls = at < 0 ? [...world.calls, card] : world.calls.map((c) => (c.call === card.call ? card : c))
  return { ...world, calls }
}

function changed(world: World, call: string, change: Partial<Card> | ((card: Card) => Partial<Card>)): World {
  const of = (c: Card) => (typeof change === 'function' ? change(c) : change)
  return { ...world, calls: world.calls.map((c) => (c.call === call ? { ...c, ...of(c) } : c)) }
}

function without<T>(map: Record<string, T>, key: string): Record<string, T> {
  if (!(key in map)) return map
  const { [key]: _, ...rest } = map
  return rest
}

export const STATES: AgentStateName[] = [
  'not_responding',
  'offered',
  'on_call',
  'wrap_up',
  'ready',
  'not_ready',
  'offline',
]
