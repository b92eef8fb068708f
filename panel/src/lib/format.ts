// How numbers, times and durations are written. Plain functions: what is shown depends on the arguments alone.

/** `3:07`, `1:02:09`: a running or finished length of time. */
export function clock(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000))
  const two = (n: number) => String(n).padStart(2, '0')
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60]
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`
}

/** Milliseconds between two RFC 3339 times; until `now` while the second is missing. */
export function lasted(from: string | null | undefined, to: string | null | undefined, now: number): number {
  if (!from) return 0
  const end = to ? Date.parse(to) : now
  return Math.max(0, end - Date.parse(from))
}

/** A phone number in groups as it is said: mobiles 3-4-4, Beijing lines 3-4-4 after the area code, others as they came. */
export function phone(number: string | null | undefined): string {
  if (!number) return ''
  if (/^1\d{10}$/.test(number)) return `${number.slice(0, 3)} ${number.slice(3, 7)} ${number.slice(7)}`
  if (/^010\d{8}$/.test(number)) return `010 ${number.slice(3, 7)} ${number.slice(7)}`
  return number
}

/** The part of an RFC 3339 time people look at: `09:41:22` today, `11-20 16:10` this year, else with the year. In the time's own zone. */
export function when(at: string | null | undefined, now: number): string {
  const parts = at ? /^(\d{4})-(\d\d-\d\d)T(\d\d:\d\d)(:\d\d)?/.exec(at) : null
  if (!at || !parts) return ''
  const [, year, day, minute, second] = parts
  const today = dayOf(now, at)
  if (today === `${year}-${day}`) return `${minute}${second ?? ''}`
  return today.slice(0, 4) === year ? `${day} ${minute}` : `${year}-${day} ${minute}`
}

/** As `when`, to the minute: what a deadline or a deed is told by. */
export const moment = (at: string | null | undefined, now: number): string =>
  when(at, now).replace(/^(\d\d:\d\d):\d\d$/, '$1')

/** The time of day with tenths, for a timeline where order matters. */
export function precise(at: string | null | undefined): string {
  const parts = at ? /T(\d\d:\d\d:\d\d)(\.\d)?/.exec(at) : null
  return parts ? `${parts[1]}${parts[2] ?? ''}` : ''
}

/** Today's date in the zone that `like` was written in. */
function dayOf(now: number, like: string): string {
  const zone = /([+-])(\d\d):(\d\d)$/.exec(like)
  const minutes = zone ? (zone[1] === '-' ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3])) : 0
  return new Date(now + minutes * 60_000).toISOString().slice(0, 10)
}
