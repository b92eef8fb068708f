// What the API answers, as far as these pages read it (contract: HTTP). Fields may be added by the server at any time.

export interface Page<T> {
  items: T[]
  next: string | null
}

export type CallState = 'arriving' | 'ivr' | 'queued' | 'offered' | 'talking' | 'held' | 'wrap' | 'ended'

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
  recording: string | null
  /** Metadata beyond the contract's list: codec, loss, node path and the like. */
  [more: string]: unknown
}

export interface CallEvent {
  at: string
  kind: string
  data: Record<string, unknown>
}

export interface Ticket {
  id: string
  no: string | null
  state: string
  channel: string | null
  type: string | null
  category: string | null
  street: string | null
  lead: string | null
  urgency: string | null
  title: string | null
  content: string | null
  caller: string | null
  secrecy: string | null
  calls: (string | { id: string })[]
  created_at: string
  accepted_at: string | null
  due_at: string | null
  closed_at: string | null
  [more: string]: unknown
}

/** RFC 9457. */
export interface Problem {
  status: number
  title: string
  detail?: string
  code?: string
  ref?: string
}
