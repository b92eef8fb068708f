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
  /** Silence written where the disk could not follow. */
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
  state: string
  channel: string | null
  type: string | null
  category: string | null
  street: string | null
  lead: string | null
  assist?: string[]
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
  /** Lines of its history so far; a change names the one it was made on. */
  version: number
  [more: string]: unknown
}

/** RFC 9457. */
export interface Problem {
  status: number
  title: string
  detail?: string
  code?: string
  ref?: string
  /** What is wrong, field by field. */
  errors?: { field: string; code: string; detail: string }[]
}
