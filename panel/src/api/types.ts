// What the API answers, as far as these pages read it (contract: HTTP). Fields may be added by the server at any time.

export interface Page<T> {
  items: T[]
  next: string | null
}

export type CallState = 'arriving' | 'ivr' | 'queued' | 'offered' | 'talking' | 'held' | 'wrap' | 'ended'

/** A file of sound: its id is the last part of `/api/v1/recordings/{id}`. */
export interface Recording {
  id: string
  length_ms?: number | null
  /** Silence written where the disk could not follow, or where it was not to be recorded. */
  gaps_ms?: number | null
  failed?: boolean
}

export const recordingId = (r: Recording | string | null | undefined): string =>
  typeof r === 'string' ? r : (r?.id ?? '')

/** A ticket named by a call: its official number, its id, or both. */
export type TicketRef = string | { id: string; no?: string | null }

export interface Call {
  id: string
  sip_call_id: string
  direction: string
  caller: string | null
  called: string
  trunk: string | null
  state: CallState
  queue: string | null
  agent: string | null
  started_at: string
  answered_at: string | null
  ended_at: string | null
  end_reason: string | null
  tickets: TicketRef[]
  /** Official numbers of those tickets that have one. */
  ticket_nos?: string[]
  recording: Recording | string | null
  /** A voice message the caller left. */
  message?: Recording | string | null
  /** Metadata beyond the contract's list: codec, loss, node path and the like. */
  [more: string]: unknown
}

/** Somebody who asked to be called back, in the call `call`. */
export interface Callback {
  call: string
  number: string | null
  queue: string
  state: string
  asked_at: string
  entered_at: string
  priority: number
  tries: {
    nth: number
    agent: string
    call: string | null
    at: string
    ended_at: string | null
    outcome: string | null
  }[]
  next_at: string | null
  over_at: string | null
  ticket_nos?: string[]
}

export interface CallEvent {
  at: string
  kind: string
  data: Record<string, unknown>
}

export interface Ticket {
  id: string
  no: string | null
  /** Imported history: the number it had before this program. */
  old_no?: string | null
  state: string
  channel: string | null
  type: string | null
  category: string | null
  street: string | null
  lead: string | null
  assist?: string[]
  urgency: string | null
  title: string | null
  /** The caller's own words: the hotline's alone. */
  content: string | null
  /** What the unit reads. */
  brief?: string | null
  tags?: string[]
  caller: string | null
  secrecy: string | null
  special?: string | null
  notify?: string | null
  safe_time?: string | null
  calls: (string | { id: string })[]
  created_at: string
  accepted_at: string | null
  due_at: string | null
  closed_at: string | null
  /** Lines of its history so far; a change names the one it was made on. */
  version: number
  /** What this person may do with it now: the buttons are exactly these. */
  actions?: string[]
  owner?: { role: string; unit?: string | null } | null
  clocks?: TicketClock[]
  next_due_at?: string | null
  light?: string | null
  /** Version of the rules it is judged by. */
  rules?: string | null
  /** Counted without a calendar of its year. */
  calendar_warning?: boolean
  returns?: number
  redos?: number
  forced?: { step: string; reason: string; objected?: string | null; upheld?: boolean | null } | null
  /** What a return that waits for its decision is about. */
  last_return?: TicketReturn | null
  joint?: { unit?: string | null; by: string; text: string; at: string } | null
  supervised?: { level: string; deadline?: string | null; text: string } | null
  extension?: {
    asked_workdays: number
    reason: string
    granted?: boolean | null
    granted_until?: string | null
  } | null
  staged?: { basis: string; until: string; text?: string } | null
  deferred?: { until: string; plan: string } | null
  reply?: TicketReply | null
  assists?: { unit: string; text: string; at: string }[]
  subs?: TicketSub[]
  contacts?: { at: string; how: string; by: string; text?: string }[]
  visit?: TicketVisit | null
  complained?: { unit?: string | null; person?: string | null } | null
  merged_into?: string | null
  unreasonable?: boolean
  [more: string]: unknown
}

/** One of the clocks that ran since the acceptance. */
export interface TicketClock {
  name: string
  due_at: string
  met_at?: string | null
  /** `running met late missed`. */
  state: string
  /** How much of it is over, percent; above 100 when it is late. */
  passed_pct?: number
}

/** What the unit says it did: a record apart from the citizen's verdict. */
export interface TicketReply {
  /** For the citizen. */
  text: string
  /** Internal. */
  report?: string | null
  claim: string
  by: string
  at: string
  signed_by?: string | null
  signed_at?: string | null
}

/** A unit below the lead that it was passed down to. */
export interface TicketSub {
  unit: string
  due_at: string
  signed_at?: string | null
  /** What is asked of it. */
  text?: string | null
  reply?: string | null
  replied_at?: string | null
}

export interface TicketReturn {
  unit: string
  to: string
  basis: string
  text: string
  at: string
  granted?: boolean | null
}

export interface VisitAttempt {
  at: string
  by: string
  result: string
}

/** The citizen's own verdict: four questions, asked apart. */
export interface TicketVisit {
  tries?: VisitAttempt[]
  contacted?: boolean | null
  solved?: string | null
  satisfied?: string | null
  matches?: boolean | null
  text?: string | null
  at?: string | null
  by?: string | null
  /** Closed although nobody was reached. */
  unreached?: boolean
}

/** How many tickets stand in a state, in the eyes of who asks. */
export interface Box {
  state: string
  count: number
  late: number
  soon: number
}

export interface Unit {
  key: string
  name: string
  short?: string
  kind?: string
  parent?: string | null
  level?: number
  supervise?: string
}

/** A leaf of the catalogue: who leads and who assists. `street` stands for the street office of the place. */
export interface Leaf {
  code: string
  lead: string
  assist: string[]
  urgency?: string
}

/** A line of a ticket's history. */
export interface TicketLine {
  n: number
  at: string
  kind: string
  /** `system` or `user:<name>`. */
  actor: string
  data: Record<string, unknown>
  personal: Record<string, unknown> | null
  hash?: string
}

/** RFC 9457. */
export interface Problem {
  status: number
  title: string
  detail?: string
  code?: string
  ref?: string
  /** What is wrong, field by field. */
  /** Every problem found, a line each. */
  problems?: string[]
  errors?: { field: string; code: string; detail: string }[]
}

/** Inbound calls and what became of them. */
export interface Fared {
  calls: number
  queued: number
  answered: number
  /** Answered in time after first waiting. */
  within: number
  abandoned: number
}
export interface FloorDay {
  day: string
  within_ms: number
  today: Fared
  /** The running 24 hours. */
  rolling: Fared
  half_hours: { at: string; fared: Fared | null; forecast: number | null }[]
  queues: { queue: string; fared: Fared }[]
  streets: { street: string; tickets: number }[]
  topics: { agent: string; call: string; category: string }[]
}

export interface RosterDuty {
  date: string
  shift: string
  kind: string
  from: string
  to: string
}
export interface RosterPerson {
  id: string
  name: string
  lead: boolean
  always: boolean
  duties: RosterDuty[]
  leave: string[]
}
export interface RosterCover {
  at: string
  agents: number
  leads: number
  on_call: number
  required: number
  forecast: number | null
  missing: number
}
export interface RosterFinding {
  code: string
  severity: string
  law: boolean
  person: string | null
  date: string | null
  message: string
  message_zh: string
  approved_by: string | null
}
export interface RosterView {
  from: string
  to: string
  plan: string | null
  binds: boolean
  days: { date: string; kind: string; holiday: string | null }[]
  shifts: { code: string; name: string; start: string; end: string }[]
  people: RosterPerson[]
  coverage: RosterCover[]
  gaps: RosterFinding[]
  findings: RosterFinding[]
  now: { at: string; agents: string[]; leads: string[]; on_call: string[]; required: number }
}
export interface RosterTurn {
  person: string
  date: string
  shift: string
}
export interface RosterRequest {
  id: string
  asked_at: string
  asker: string
  other: string | null
  kind: string
  mine: RosterTurn | null
  theirs: RosterTurn | null
  from: string | null
  to: string | null
  cover: string | null
  stage: string
  version: number
  events: { at: string; stage: string; by: string; reason: string }[]
}
export interface RosterPlan {
  day: string
  kind: string
  source: string
  share: number
  within_ms: number
  patience_ms: number
  rows: {
    from: string
    calls_per_hour: number
    erlang: number | null
    simulated: number | null
    difference: number | null
    gave_up: number
  }[]
}
interface SheetTicket {
  id: string
  no: string | null
  state: string
  title: string | null
  created_at: string
}
export interface Signature {
  by: string
  at: string
  /** The plan has somebody else there. */
  stands_in: boolean
}
/** A change of leads, and who has signed it. */
export interface HandoverTurn {
  turn: string
  at: string
  state: 'writing' | 'offered' | 'taken'
  outgoing: string[]
  incoming: string[]
  out: Signature | null
  in: Signature | null
  due_at: string | null
  overdue: boolean
}
export interface HandoverTurns {
  items: HandoverTurn[]
  unsigned: number
}
export interface Handover {
  at: string
  shifts: string[]
  leads: string[]
  next_at: string | null
  next_leads: string[]
  urgent: SheetTicket[]
  drafts: SheetTicket[]
  queues: { queue: string; waiting: number; callbacks: number }[]
  notices: { id: string; at: string; until: string; by: string; text: string; read_by: string[] }[]
  away: string[]
}
