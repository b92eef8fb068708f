// What waits for this agent between calls: callbacks, messages, own drafts, the oldest promise first. Pure.
import type { Call, Callback, Ticket } from '../api/types'

export interface Todo {
  key: string
  kind: 'callback' | 'message' | 'draft'
  /** Since when somebody waits for it; a callback between tries: when the next one is due. */
  at: string
  number: string | null
  title: string
  /** Where it is done. */
  to: string
}

const callsOf = (one: Ticket) => one.calls.map((call) => (typeof call === 'string' ? call : call.id))

/** `mine`: the calls this agent took; a draft of somebody else's is his. */
export function todos(
  callbacks: readonly Callback[],
  messages: readonly Call[],
  drafts: readonly Ticket[],
  mine: readonly Call[],
): Todo[] {
  const left = new Set(messages.map((one) => one.id))
  const own = new Set(mine.map((one) => one.id))
  const asked = callbacks
    .filter((one) => !one.over_at)
    .map((one): Todo => ({
      key: `c${one.call}`,
      kind: 'callback',
      at: one.next_at ?? one.entered_at,
      number: one.number,
      title: one.ticket_nos?.[0] ?? '',
      to: '/callbacks',
    }))
  const written = drafts.flatMap((one): Todo[] => {
    const calls = callsOf(one)
    const message = calls.some((call) => left.has(call))
    if (one.state !== 'draft' || (!message && !calls.some((call) => own.has(call)))) return []
    const kind = message ? 'message' : 'draft'
    const { caller: number, created_at: at } = one
    return [
      { key: `t${one.id}`, kind, at, number, title: one.title ?? '', to: `/tickets/${one.no ?? one.id}` },
    ]
  })
  return [...asked, ...written].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
}
