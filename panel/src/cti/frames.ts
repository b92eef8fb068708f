// What goes over the CTI websocket, as far as the panel reads it (contract: CTI websocket). Fields may be added at any time.

export type AgentStateName =
  'offline' | 'not_ready' | 'ready' | 'offered' | 'on_call' | 'wrap_up' | 'not_responding'

export interface StateView {
  state: AgentStateName
  /** Why not ready, or why the state changed. */
  reason?: string | null
  wrap_up_until?: string | null
  since: string
}

export interface Card {
  call: string
  direction: 'inbound' | 'outbound'
  queue: string | null
  /** Null when withheld. */
  caller: string | null
  called: string
  /** The draft ticket's id. */
  ticket: string
  ticket_no: string | null
  ticket_code: string | null
  state: 'offered' | 'talking' | 'held' | 'consulting' | 'conference' | 'dialling'
  arrived_at: string
  queued_at: string | null
  answered_at: string | null
  path: string[]
  urgent: boolean
  recording_paused: boolean
  others: string[]
  /** The callback somebody was promised: he is asked who he is before anything is told. */
  callback?: { of: string; asked_at: string; tries: number; first: 'identity' }
  /** It is one of a session in which the head of a department takes calls. */
  session?: {
    id: string
    unit: string
    /** Whose page this is. */
    part: 'leader' | 'recorder' | 'agent'
    /** Heard by nobody. */
    listens: boolean
    /** Who writes the ticket, once he is on the call. */
    recorder: string | null
  }
}

export interface Queue {
  queue: string
  waiting: number
  longest_since: string | null
  /** The longest wait that somebody who got in line now would be told; null: nothing. */
  stated_wait_ms?: number | null
  staffed: number
  free: number
  talking: number
  wrap_up: number
  callbacks: number
}

export interface Colleague extends StateView {
  agent: string
  device: string | null
  call: string | null
}

export interface Offer {
  call: string
  answer_by: string
  auto_answer_at: string | null
}

export interface Hello {
  protocol: number
  heartbeat_ms: number
  agent: string
  display?: string
  lead?: boolean
  session: number
  acting: boolean
  resume: number
  resumed?: boolean
}

export interface Snapshot extends StateView {
  agent: string
  device: string | null
  break_pending: string | null
  calls: Card[]
  offer: Offer | null
  queues: Queue[]
  colleagues: Colleague[]
}

/** The `data` of each event by its name. */
export interface Events {
  hello: Hello
  snapshot: Snapshot
  heartbeat: undefined
  'agent.state': StateView & { agent: string }
  'agent.break': { granted: boolean; reason: string; ahead: number }
  'session.taken_over': { session: number }
  'call.offered': Card & Omit<Offer, 'call'>
  'call.rescinded': { call: string; reason: string }
  'call.answered': Card
  'call.held': { call: string }
  'call.retrieved': { call: string }
  'call.joined': { call: string; who: string }
  'call.left': { call: string; who: string }
  'call.monitored': { call: string; by: string; how: string }
  'call.ended': { call: string; reason: string; wrap_up_until: string | null }
  'queue.stats': Queue
  'ticket.linked': { call: string; ticket: string; ticket_no: string | null; ticket_code: string | null }
  'ticket.updated': { call: string; ticket: string; ticket_no: string | null; state: string }
  'media.answer': { session: number; sdp: string }
  'media.candidate': { session: number; candidate: string; mid: string | null }
  'media.quality': Quality
  alarm: { kind: string; call: string | null; agent: string | null; note: string }
  'roster.notice': { code: string; note: string }
}

export interface Quality {
  session: number
  /** `proven`, or why sound does not pass. */
  path: string
  round_trip_ms: number | null
  jitter_ms: number | null
  lost_permille: number | null
}

export type EventFrame = {
  [E in keyof Events]: { event: E; at: string; seq?: number; data: Events[E] }
}[keyof Events]

export interface Answer {
  re: string | null
  ok: boolean
  /** The new call, where one came of it. */
  call?: string
  error?: { code: string; message: string }
}

export type Target = { queue: string } | { agent: string } | { number: string }

/** Commands and their fields beside `id` and `cmd`. */
export interface Commands {
  'agent.login': { device?: string; take_over?: boolean }
  'agent.logout': object
  'agent.ready': object
  'agent.not_ready': { reason: string }
  'agent.break_request': { reason: string }
  'agent.break_withdraw': object
  'call.answer': { call?: string }
  'call.reject': { call?: string }
  'call.hangup': { call?: string }
  'call.hold': { call?: string }
  'call.retrieve': { call?: string }
  'call.dtmf': { call?: string; digits: string }
  'call.dial': { number: string; ticket?: string }
  'call.consult': { call?: string; to: Target }
  'call.transfer': { call?: string; to?: Target }
  'call.conference': { call?: string; to?: Target }
  'call.complete': { call?: string }
  'wrapup.finish': object
  'wrapup.extend': object
  'call.mark': { call?: string; special: string }
  'recording.pause': { call?: string }
  'recording.resume': { call?: string }
  'media.offer': { sdp: string }
  'media.candidate': { candidate: string; mid?: string; line?: number }
  'media.restart': object
  'media.probe': { received: number }
  'media.microphone': { state: 'live' | 'muted' | 'ended' | 'denied' }
  'supervisor.listen': { agent: string }
  'supervisor.whisper': { agent: string }
  'supervisor.barge': { agent: string }
  'supervisor.takeover': { agent: string }
  'supervisor.force_state': { agent: string; state: 'ready' | 'not_ready' | 'offline'; reason?: string }
  'assist.request': { call?: string; note?: string }
  'assist.cancel': object
  'crisis.raise': { call?: string }
  'queue.watch': { queues: string[] }
}
export type Command = keyof Commands
