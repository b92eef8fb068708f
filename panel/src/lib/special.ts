// Callers for whom the usual way is wrong: what a card sets on the ticket, when nobody may be called, when gas may be. Pure but
// for the last part.
import { ref } from 'vue'
import type { Draft } from './drafts'

/** In the order of the cards; digits choose the first nine. */
export const SPECIALS = [
  'suicide',
  'emergency',
  'silent',
  'minor',
  'violence',
  'deaf',
  'foreign',
  'elderly',
  'abuse',
  'retaliation',
] as const
/** Those of which the engine knows nothing: they change nothing about the call. */
const QUIET = ['retaliation']
export const changesCall = (special: string): boolean => !QUIET.includes(special)

const LEAFLESS = ['suicide', 'minor', 'violence']
/** Saved without category or street, and confidential. */
export const leafless = (special: string): boolean => LEAFLESS.includes(special)

/** Kept secret by rule. */
export const hides = (special: string): boolean => leafless(special) || special === 'retaliation'

const NOTIFY: Record<string, string> = { deaf: 'text_only', violence: 'no_message' }

/** What choosing a card changes of the draft; what a hand has set by itself stands. */
export function chosen(draft: Draft, special: string): Partial<Draft> {
  const free = (field: string) => !draft.touched.includes(field)
  const change: Partial<Draft> = {
    special,
    touched: free('special') ? [...draft.touched, 'special'] : draft.touched,
  }
  // Confidential by rule, whatever was said before; who gives no name at all stays so.
  if (hides(special) && draft.secrecy !== 'anonymous') change.secrecy = 'secret'
  // What only the card had set goes with it: it has to be asked again.
  else if (hides(draft.special) && draft.secrecy === 'secret' && free('secrecy')) change.secrecy = ''
  if (free('notify')) change.notify = NOTIFY[special] ?? ''
  return change
}

const minutes = (text: string | undefined): number | null => {
  const parts = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text ?? '')
  return parts ? Number(parts[1]) * 60 + Number(parts[2]) : null
}

/** `09:00-11:30` in minutes of the day; null when it is not written so. */
export function safeTime(text: string): { from: number; to: number } | null {
  const [a, b, more] = text.trim().split('-')
  const [from, to] = [minutes(a), minutes(b)]
  return from === null || to === null || from === to || more !== undefined ? null : { from, to }
}

/** Why this citizen may not be called at this moment, as the server would refuse it; null: he may. */
export function noCall(
  of: { notify?: unknown; safe_time?: unknown } | null | undefined,
  now: number,
): 'text_only' | 'not_now' | null {
  if (of?.notify === 'text_only') return 'text_only'
  const safe = typeof of?.safe_time === 'string' ? safeTime(of.safe_time) : null
  if (!safe) return null
  // The service's own day, wherever the browser is.
  const minute = Math.floor(now / 60_000 + 8 * 60) % 1440
  const { from, to } = safe
  const within = from < to ? minute >= from && minute < to : minute >= from || minute < to
  return within ? null : 'not_now'
}

/** The service that must not be called while the citizen is still indoors. */
export const GAS = 'gas'
/** Calls whose citizen has said to be outdoors, or whom a lead let pass. */
export const outdoors = ref<ReadonlySet<string>>(new Set())
export function setOutdoors(call: string, is: boolean) {
  const next = new Set(outdoors.value)
  if (is) next.add(call)
  else next.delete(call)
  outdoors.value = next
}
