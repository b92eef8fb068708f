// An agent's draft becomes a ticket: what is sent, what to do when somebody else was faster, and which field is wrong.
import { request, RequestFailed } from '../api/http'
import type { Problem, Ticket } from '../api/types'
import type { Draft } from './drafts'
import { leafless } from './special'

/** 保存并受理, 直接答复办结, 作废. */
export type Goal = 'accepted' | 'closed' | 'void'

/** What a draft says of the ticket; null clears nothing, an empty text does. */
export interface Change {
  type: string
  category: string
  street: string
  lead: string
  title: string
  content: string
  brief: string
  tags: string[]
  assist: string[]
  secrecy: string
  special?: string
  notify?: string
  safe_time?: string
  /** Whom he complains about. */
  complained?: { unit: string; person: string }
  /** Only when it is higher than the category's. */
  urgency?: string
  contact: { name: string; number: string; address: string }
  state: Goal
  reason?: string
}

export type Outcome =
  | { is: 'saved'; ticket: Ticket }
  /** Codes by field; `state` is about the ticket as a whole. */
  | { is: 'refused'; errors: Record<string, string> }
  /** Somebody changed it since it was read here: it is as in `ticket` now. */
  | { is: 'changed'; ticket: Ticket }
  /** Not sent, not answered, not allowed: the words are in `problem`. */
  | { is: 'failed'; problem: Problem }

const TITLE = 40
/** The first sentence, short enough for a line of a list; without the words that every proposed text begins with. */
export function titleOf(content: string): string {
  const first =
    content
      .trim()
      .replace(/^市民反映[：:]\s*/u, '')
      .split(/[。！？!?\n]/u)[0]
      ?.trim() ?? ''
  const letters = [...first]
  return letters.length > TITLE ? `${letters.slice(0, TITLE - 1).join('')}…` : first
}

/** What makes the caller a special one; only what a hand set or took back, so that another's word stands. */
function specialOf(draft: Draft): Pick<Change, 'special' | 'notify' | 'safe_time'> {
  const said = (field: 'special' | 'notify' | 'safe_time') =>
    draft[field] || draft.touched.includes(field) ? { [field]: draft[field].trim() } : {}
  return { ...said('special'), ...said('notify'), ...said('safe_time') }
}

/** Said only when there is somebody, or was. */
function complainedOf(draft: Draft): Pick<Change, 'complained'> {
  const [unit, person] = [draft.complained_unit ?? '', (draft.complained_person ?? '').trim()]
  const said = ['complained_unit', 'complained_person'].some((field) => draft.touched.includes(field))
  return unit || person || said ? { complained: { unit, person } } : {}
}

export function changeOf(draft: Draft, goal: Goal, reason = ''): Change {
  const { type, category, street, lead, content, brief, name, number, address } = draft
  return {
    type,
    category,
    street,
    lead,
    // Everybody who has the ticket reads its title: it comes from what the unit reads.
    title: titleOf(brief || content),
    content,
    brief,
    tags: [...draft.tags],
    assist: draft.assist && draft.assist !== lead ? [draft.assist] : [],
    // Who throws a ticket away need not have asked.
    secrecy: draft.secrecy || 'normal',
    ...specialOf(draft),
    ...complainedOf(draft),
    ...(draft.asks?.length ? { urgency: 'U' } : {}),
    // Who wants to be anonymous has given nothing.
    contact: draft.secrecy === 'anonymous' ? { name: '', number: '', address } : { name, number, address },
    state: goal,
    ...(goal === 'void' ? { reason } : {}),
  }
}

/** What must be there before a ticket is saved; whether to keep a secret has no default and is asked. */
const NEEDED = ['type', 'content', 'category', 'street', 'lead', 'secrecy'] as const
/** Callers whose matter is saved without knowing yet what and where it is. */
const LITTLE = ['type', 'content', 'secrecy'] as const
export const needed = (draft: Draft): readonly (typeof NEEDED)[number][] =>
  leafless(draft.special) ? LITTLE : NEEDED
export const filled = (draft: Draft): number =>
  needed(draft).filter((field) => draft[field].trim() !== '').length

const OURS = ['type', 'category', 'street', 'lead', 'title', 'content', 'brief'] as const
const LISTS = ['tags', 'assist'] as const
const same = (a: readonly string[] | undefined, b: readonly string[] | undefined) =>
  (a ?? []).join() === (b ?? []).join()
/** Whether people's own fields are the same: a number that arrived meanwhile is no conflict. */
export const sameWords = (a: Ticket, b: Ticket): boolean =>
  a.state === b.state &&
  a.secrecy === b.secrecy &&
  OURS.every((field) => (a[field] ?? '') === (b[field] ?? '')) &&
  LISTS.every((field) => same(a[field], b[field]))

/** Whether the ticket already is what the change asks for: an answer that was lost on its way. */
export const isDone = (ticket: Ticket, change: Change): boolean =>
  ticket.state === change.state &&
  OURS.every((field) => (ticket[field] ?? '') === change[field].trim()) &&
  LISTS.every((field) => same(ticket[field], change[field]))

/** What of the draft the server does not have yet; nothing is decided with it, and nothing is cleared. */
export function unsaved(draft: Draft, ticket: Ticket): Record<string, unknown> | null {
  const { state: _, contact: __, secrecy: ___, ...all } = changeOf(draft, 'accepted')
  const news: [string, unknown][] = Object.entries(all).filter(([field, value]) =>
    Array.isArray(value)
      ? value.length > 0 && !same(value as string[], ticket[field] as string[] | undefined)
      : typeof value === 'string' && value.trim() !== '' && value.trim() !== (ticket[field] ?? ''),
  )
  const whom = complainedOf(draft).complained
  const known = ticket.complained
  if (whom && (whom.unit !== (known?.unit ?? '') || whom.person !== (known?.person ?? '')))
    news.push(['complained', whom])
  if (draft.secrecy && draft.secrecy !== ticket.secrecy) news.push(['secrecy', draft.secrecy])
  return news.length ? { ...Object.fromEntries(news), version: ticket.version } : null
}

/** Times that the system may be faster than us. */
const TRIES = 4

/**
 * Saves. `seen` is the ticket as the agent has it before him; null when it could not be read until now.
 * `ask` is the one way out, so that tests can stand in for the server.
 */
export async function finish(
  name: string,
  seen: Ticket | null,
  change: Change,
  ask: typeof request = request,
): Promise<Outcome> {
  const path = `/api/v1/tickets/${encodeURIComponent(name)}`
  try {
    for (let n = 0; n < TRIES; n++) {
      const now = await ask<Ticket>(path)
      if (isDone(now, change)) return { is: 'saved', ticket: now }
      if (seen ? !sameWords(now, seen) : now.state !== 'draft') return { is: 'changed', ticket: now }
      try {
        const body = JSON.stringify({ ...change, version: now.version })
        return { is: 'saved', ticket: await ask<Ticket>(path, { method: 'PATCH', body }) }
      } catch (e) {
        // The engine wrote a line in between: look again, and go on when only that was it.
        if (!(e instanceof RequestFailed) || e.problem.code !== 'changed') throw e
        seen ??= now
      }
    }
    return { is: 'failed', problem: { status: 409, title: 'changed' } }
  } catch (e) {
    if (!(e instanceof RequestFailed)) throw e
    const { problem } = e
    const errors = Object.fromEntries((problem.errors ?? []).map((one) => [one.field, one.code]))
    return Object.keys(errors).length ? { is: 'refused', errors } : { is: 'failed', problem }
  }
}
