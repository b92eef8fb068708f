// The roster's page as functions of what the server said: weeks, cells, gaps in words.
import type { HandoverTurn, RosterCover, RosterDuty, RosterPerson, RosterRequest } from '../api/types'

const DAY = 86_400_000
/** Civil dates have no zone: they are counted as if all were in UTC. */
const stamp = (date: string) => Date.parse(`${date}T00:00:00Z`)

export const plusDays = (date: string, days: number) =>
  new Date(stamp(date) + days * DAY).toISOString().slice(0, 10)

/** The Monday of the date's week. */
export const monday = (date: string) => plusDays(date, -((new Date(stamp(date)).getUTCDay() + 6) % 7))

/** 0 is Monday. */
export const weekday = (date: string) => (new Date(stamp(date)).getUTCDay() + 6) % 7

/** Today in the district, by the page's clock. */
export const today = (now: number) =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai', dateStyle: 'short' }).format(now)

/** `08:00` of a time as the server wrote it. */
export const hour = (at: string) => at.slice(11, 16)

/** `08:00–16:00` of a duty. */
export const hours = (duty: Pick<RosterDuty, 'from' | 'to'>) =>
  `${hour(duty.from)}–${hour(duty.to) === '00:00' ? '24:00' : hour(duty.to)}`

export const dutiesOn = (person: RosterPerson, date: string) => person.duties.filter((d) => d.date === date)

/** Half hours with the same lack joined, each inside one day. */
export interface Lack {
  date: string
  from: string
  to: string
  missing: number
}
export function lacks(coverage: readonly RosterCover[]): Lack[] {
  const out: Lack[] = []
  coverage.forEach((piece) => {
    if (!piece.missing) return
    const date = piece.at.slice(0, 10)
    const from = hour(piece.at)
    const minutes = Number(from.slice(0, 2)) * 60 + Number(from.slice(3)) + 30
    const to = `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
    const last = out.at(-1)
    if (last && last.date === date && last.to === from && last.missing === piece.missing) last.to = to
    else out.push({ date, from, to, missing: piece.missing })
  })
  return out
}

/** What one may do with a request: the server decides, this only keeps buttons out of sight that lead nowhere. */
export function mayDo(r: RosterRequest, me: string, decides: boolean) {
  const open = r.stage === 'requested' || r.stage === 'agreed'
  const waits = r.other !== null && r.stage === 'requested'
  const his = r.asker === me || r.other === me
  return {
    agree: open && waits && r.other === me,
    withdraw: open && r.asker === me,
    approve: open && decides && !his && !waits,
    refuse: open && ((decides && !his) || (r.other === me && waits)),
  }
}

/** Turns of a person from a day on that can be swapped. */
export const turns = (person: RosterPerson | undefined, from: string) =>
  (person?.duties ?? []).filter((d) => d.kind === 'work' && d.date >= from)

export const decides = (roles: readonly string[]) => roles.includes('lead') || roles.includes('office')
export const asks = (roles: readonly string[]) => ['agent', 'lead', 'visitor'].some((r) => roles.includes(r))

/** How many of those who are on shift by the roster are not logged in. */
export const absent = (planned: readonly string[], there: Record<string, { state: string }>) =>
  planned.filter((id) => (there[id]?.state ?? 'offline') === 'offline').length

/** The hand-over that is to be signed: the oldest that is not, else the newest. Newest come first. */
export const openTurn = (turns: readonly HandoverTurn[]): HandoverTurn | null =>
  turns.filter((turn) => turn.state !== 'taken').at(-1) ?? turns[0] ?? null

/** Two persons sign, in their order; whoever the plan has on the other side does not. */
export function mayNotSign(turn: HandoverTurn, part: 'out' | 'in', me: string): boolean {
  const [mine, theirs] = part === 'out' ? [turn.outgoing, turn.incoming] : [turn.incoming, turn.outgoing]
  const other = !mine.includes(me) && theirs.includes(me)
  return other || (part === 'in' && (turn.out === null || turn.out.by === me))
}
