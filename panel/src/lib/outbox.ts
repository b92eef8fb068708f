// What was sent out, and how a row of it is read. Pure.
export type PushState = 'dead' | 'queued' | 'held' | 'sent' | 'discarded'
export interface Push {
  id: string
  kind: 'sms' | 'mail' | 'webhook' | 'city'
  state: PushState
  ticket: string | null
  no: string | null
  subject: string
  to: string | null
  text: string
  tries: number
  created_at: string
  due_at: string | null
  until: string | null
  reason: string | null
  receipt: string | null
  done_at: string | null
  by: string | null
  by_reason: string | null
}

/** In the order in which somebody has to look at them. */
export const STATES: PushState[] = ['dead', 'queued', 'held', 'sent', 'discarded']
export const KINDS: Push['kind'][] = ['sms', 'mail', 'webhook', 'city']

/** The status in `status_503`; null: the reason is a word. */
export const statusOf = (reason: string | null): string | null =>
  /^status_(\d+)$/.exec(reason ?? '')?.[1] ?? null

/** To a person, not to a unit. */
export const toPerson = (push: Push) => push.kind === 'sms'

/** What may be asked for at all; the server has the last word. */
export const canRetry = (push: Push) => push.state === 'dead' || push.state === 'queued'
export const canDiscard = (push: Push) => canRetry(push) || push.state === 'held'
