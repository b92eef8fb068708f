// How near a deadline is, in words and as a light. Pure: the time comes in, keys of words and their values come out.
import type { Ticket, TicketClock } from '../api/types'
import { moment } from './format'

export type Light = 'green' | 'yellow' | 'orange' | 'red'

/** A text of the language files and the values of its places. */
export interface Said {
  key: string
  values: Record<string, string | number>
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Below this the seconds are told. */
const SECONDS_MS = 10 * MINUTE
/** From here on a date says more than a number of days. */
const DATE_MS = 7 * DAY

/** A half, four fifths, all of it. */
export function lightOf(pct: number): Light {
  return pct >= 100 ? 'red' : pct >= 80 ? 'orange' : pct >= 50 ? 'yellow' : 'green'
}

/** 剩 3:12, 剩 18 分, 剩 5 时 10 分, 剩 1 天 2 时, a date; 超时 6 小时. Null without a deadline. */
export function left(due: string | null | undefined, now: number): (Said & { late: boolean }) | null {
  const at = due ? Date.parse(due) : NaN
  if (!due || Number.isNaN(at)) return null
  const ms = at - now
  if (ms < 0) return { late: true, ...spell('late', -ms) }
  if (ms < SECONDS_MS) {
    const s = Math.floor(ms / 1000)
    return {
      late: false,
      key: 'due.left_clock',
      values: { m: Math.floor(s / 60), s: String(s % 60).padStart(2, '0') },
    }
  }
  if (ms >= DATE_MS) return { late: false, key: 'due.until', values: { at: moment(due, now) } }
  return { late: false, ...spell('left', ms) }
}

function spell(how: 'left' | 'late' | 'took', ms: number): Said {
  if (ms < HOUR) return { key: `due.${how}_min`, values: { n: Math.max(1, Math.floor(ms / MINUTE)) } }
  const hours = Math.floor(ms / HOUR)
  if (ms < DAY) return { key: `due.${how}_hours`, values: { h: hours, m: Math.floor((ms % HOUR) / MINUTE) } }
  return { key: `due.${how}_days`, values: { d: Math.floor(hours / 24), h: hours % 24 } }
}

/** How long something took: 9 分, 5 时 10 分. */
export const took = (from: string, to: string): Said =>
  spell('took', Math.max(0, Date.parse(to) - Date.parse(from)))

/** The clock whose light a ticket's row shows: the one of its next deadline, else the one that ends first. */
export function nextClock(of: Pick<Ticket, 'clocks' | 'next_due_at'>): TicketClock | null {
  const named = (of.clocks ?? []).find((c) => !c.met_at && c.due_at === of.next_due_at)
  if (named) return named
  const running = (of.clocks ?? []).filter((c) => c.state === 'running' || c.state === 'missed')
  return running.sort((a, b) => Date.parse(a.due_at) - Date.parse(b.due_at))[0] ?? null
}

export interface Face {
  light: Light
  /** Percent of the bar that is filled. */
  width: number
  /** Where on the bar the limit stands, percent. */
  limit: number
}

/** The bar of one clock: it grows to its limit, and over it the limit moves back. */
export function barOf(pct: number, light: Light = lightOf(pct)): Face {
  const over = pct > 100
  return {
    light,
    width: over ? 100 : Math.max(0, Math.round(pct)),
    limit: over ? Math.round(10_000 / pct) : 100,
  }
}

export interface ClockFace extends Face {
  said: Said
  icon: string
  tone: 'ok' | 'warn' | 'danger' | ''
}

/** One clock as the ticket's page shows it: done in time, done late, not done, running. */
export function clockFace(c: TicketClock, since: string | null | undefined, now: number): ClockFace {
  const pct = c.passed_pct ?? guess(c, since, now)
  if (c.met_at && c.state === 'met')
    return {
      ...barOf(Math.min(100, pct), 'green'),
      said: since ? took(since, c.met_at) : { key: 'due.met', values: {} },
      icon: 'check',
      tone: 'ok',
    }
  if (c.met_at) {
    const said = spell('late', Math.max(0, Date.parse(c.met_at) - Date.parse(c.due_at)))
    return { ...barOf(Math.max(101, pct), 'red'), said, icon: 'alert', tone: 'danger' }
  }
  const light = c.state === 'missed' ? 'red' : lightOf(pct)
  const said = left(c.due_at, now) ?? { key: 'due.none', values: {} }
  return {
    ...barOf(pct, light),
    said,
    icon: light === 'red' || light === 'orange' ? 'alert' : 'clock',
    tone: light === 'red' ? 'danger' : light === 'green' ? '' : 'warn',
  }
}

/** Where the server names no part: from the acceptance on. */
function guess(c: TicketClock, since: string | null | undefined, now: number): number {
  const from = since ? Date.parse(since) : NaN
  const whole = Date.parse(c.due_at) - from
  const end = c.met_at ? Date.parse(c.met_at) : now
  return whole > 0 ? Math.round(((end - from) / whole) * 100) : 0
}

/** 30 分内, 2 小时内 where the time is a round one; else the moment. */
export function limitOf(c: TicketClock, since: string | null | undefined, now: number): Said {
  const ms = since ? Date.parse(c.due_at) - Date.parse(since) : NaN
  if (ms > 0 && ms <= HOUR && ms % MINUTE === 0) return { key: 'due.within_min', values: { n: ms / MINUTE } }
  if (ms > 0 && ms <= 3 * DAY && ms % HOUR === 0) return { key: 'due.within_hours', values: { n: ms / HOUR } }
  return { key: 'due.before', values: { at: moment(c.due_at, now) } }
}
