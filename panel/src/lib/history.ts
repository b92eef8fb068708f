// A ticket's history in words: what happened, by whom, what was said. Pure: names come in, keys of sentences and their values go out.
import type { Ticket, TicketLine } from '../api/types'

export type Group = 'handling' | 'call' | 'view'
export type Tone = 'plain' | 'act' | 'good' | 'bad' | 'visit' | 'small'

/** Where names of codes come from. */
export interface Names {
  unit: (code: string) => string
  /** The word of a code in a group of the language files. */
  word: (group: string, code: string) => string
  when: (at: string) => string
}

export interface Told {
  n: number
  at: string
  /** `2026-11-23`, in the history's own zone. */
  day: string
  time: string
  kind: string
  values: Record<string, string>
  /** What somebody wrote, with the name of its field. */
  quotes: { field: string; text: string }[]
  who: string
  icon: string
  tone: Tone
  group: Group
}

const LOOKS: Record<string, [icon: string, tone: Tone]> = {
  accepted: ['ticket', 'act'],
  opened: ['ticket', 'act'],
  dispatch: ['send', 'act'],
  ask_clarification: ['back', 'plain'],
  clarify: ['ticket', 'plain'],
  sign: ['check', 'good'],
  sub_sign: ['check', 'small'],
  ask_return: ['back', 'bad'],
  grant_return: ['swap', 'plain'],
  refuse_return: ['x', 'plain'],
  force: ['flag', 'bad'],
  object: ['flag', 'plain'],
  decide_objection: ['flag', 'plain'],
  ask_extension: ['clock', 'plain'],
  grant_extension: ['clock', 'good'],
  refuse_extension: ['x', 'plain'],
  ask_joint: ['users', 'plain'],
  decide_joint: ['users', 'act'],
  defer: ['pause', 'plain'],
  resume: ['play', 'plain'],
  progress: ['dash', 'plain'],
  stage: ['book', 'plain'],
  pass_down: ['split', 'plain'],
  sub_reply: ['chat', 'plain'],
  contact: ['phone', 'good'],
  assist_reply: ['chat', 'plain'],
  reply: ['send', 'visit'],
  sign_reply: ['check', 'visit'],
  send_back: ['back', 'plain'],
  review_pass: ['check', 'good'],
  review_back: ['back', 'bad'],
  visit_try: ['phone', 'plain'],
  visit: ['phone', 'visit'],
  redo: ['swap', 'bad'],
  supervise: ['flag', 'bad'],
  end_supervision: ['flag', 'plain'],
  urge: ['bell', 'plain'],
  supplement: ['plus', 'plain'],
  withdraw: ['x', 'plain'],
  reject: ['x', 'bad'],
  merge: ['link', 'plain'],
  protect: ['lock', 'plain'],
  split: ['split', 'plain'],
  linked: ['link', 'plain'],
  voice_urged: ['phone', 'bad'],
  transfer: ['xfer', 'plain'],
  ask_city_return: ['back', 'plain'],
  ask_city_extension: ['clock', 'plain'],
  ask_city_exclusion: ['dash', 'plain'],
  city_answered: ['check', 'plain'],
  city_message: ['chat', 'small'],
  transfer_receipt: ['check', 'plain'],
  transfer_refused: ['back', 'plain'],
  raise: ['alert', 'bad'],
  lower: ['chev', 'plain'],
  approve_unreasonable: ['dash', 'plain'],
  reminded: ['bell', 'plain'],
  late: ['alert', 'bad'],
  escalated: ['alert', 'bad'],
  recalculated: ['clock', 'small'],
  closed: ['check', 'good'],
  numbered: ['ticket', 'plain'],
  created: ['ticket', 'small'],
  saved: ['ticket', 'small'],
  answered: ['chat', 'good'],
  void: ['x', 'plain'],
  missed: ['hang', 'plain'],
  message: ['chat', 'plain'],
  callback: ['back', 'plain'],
  stored: ['ticket', 'small'],
  survey: ['star', 'plain'],
  pushed: ['send', 'small'],
  silent_key: ['phone', 'plain'],
  state: ['right', 'plain'],
}
const VIEWS = new Set(['viewed', 'revealed', 'exported', 'printed', 'played', 'searched'])
const CALLS = /^(call|queue|callback|message|recording|survey|dial|party|offer|missed|created|numbered)/

/** Words somebody wrote, in the order they are read. */
const QUOTED = ['reason', 'text', 'report', 'missing', 'basis', 'plan', 'statute'] as const

/** Codes and the group of words they belong to. */
const CODED: Record<string, string> = {
  claim: 'pick.claim',
  how: 'pick.how',
  result: 'pick.result',
  level: 'pick.level',
  step: 'pick.step',
  solved: 'pick.solved',
  satisfied: 'pick.satisfied',
  urgency: 'urgency',
  clock: 'clock',
}

const text = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : ''

export function told(line: TicketLine, names: Names): Told {
  const all: Record<string, unknown> = { ...line.data, ...(line.personal ?? {}) }
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/.exec(line.at)
  const [icon, tone] = LOOKS[line.kind] ?? ['dash', 'small']
  const view = VIEWS.has(line.kind)
  return {
    n: line.n,
    at: line.at,
    day: parts?.[1] ?? '',
    time: parts?.[2] ?? '',
    kind: line.kind,
    values: line.kind === 'voice_urged' ? { ...values(all, names), ...rung(all, names) } : values(all, names),
    quotes: QUOTED.flatMap((field) => (text(all[field]).trim() ? [{ field, text: text(all[field]) }] : [])),
    who: line.actor.replace(/^user:/, ''),
    icon: view ? 'eye' : icon,
    tone: view ? 'small' : tone,
    group: view ? 'view' : CALLS.test(line.kind) ? 'call' : 'handling',
  }
}

/** Who was telephoned, and what came of it. */
const rung = (all: Record<string, unknown>, names: Names) => ({
  level: names.word('voice.rung', text(all.level)),
  result: names.word('voice.result', text(all.result)),
})

/** Everything a sentence may have a place for; what is not there is empty. */
function values(all: Record<string, unknown>, names: Names): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [key, group] of Object.entries(CODED))
    out[key] = all[key] ? names.word(group, text(all[key])) : ''
  for (const key of ['lead', 'to', 'unit']) out[key] = all[key] ? names.unit(text(all[key])) : ''
  out.assist = (Array.isArray(all.assist) ? all.assist : []).map((u) => names.unit(text(u))).join('、')
  out.days = text(all.workdays)
  for (const key of ['until', 'deadline', 'at']) out[key] = moment(all[key], names)
  for (const key of ['into', 'city_no', 'rules']) out[key] = text(all[key])
  // The city's answer: to what, and how.
  out.what = all.what ? names.word('cityWhat', text(all.what)) : ''
  out.granted =
    typeof all.uphold === 'boolean' ? names.word('pick.yes', all.uphold ? 'granted' : 'not_granted') : ''
  out.ticks = (Array.isArray(all.ticks) ? all.ticks : [])
    .map((one) => names.word('pick.ticks', text(one)))
    .join('、')
  out.yes =
    all.contacted === undefined ? '' : names.word('pick.yes', all.contacted ? 'contacted' : 'not_contacted')
  out.true =
    typeof all.matches === 'boolean' ? names.word('pick.yes', all.matches ? 'matches' : 'not_matches') : ''
  out.uphold =
    typeof all.uphold === 'boolean' ? names.word('pick.yes', all.uphold ? 'uphold' : 'not_uphold') : ''
  // A reminder names its clock and how much of it is over.
  if (Array.isArray(all.clock)) {
    out.clock = names.word('clock', text(all.clock[0]))
    out.pct = text(all.clock[1])
  } else out.pct = text(all.pct ?? all.percent)
  if (text(all.from)) out.from = names.word('ticketState', text(all.from))
  return out
}

/** A time as the history keeps it: written out, or milliseconds since 1970. */
function moment(value: unknown, names: Names): string {
  if (typeof value === 'number')
    return names.when(new Date(value + 8 * 3_600_000).toISOString().replace(/\.\d+Z$/, '+08:00'))
  const at = text(value)
  return at ? (/^\d{4}-\d\d-\d\d$/.test(at) ? at.slice(5) : names.when(at)) : ''
}

/** Newest first, the days as they follow. */
export function byDay(lines: Told[]): { day: string; lines: Told[] }[] {
  const days: { day: string; lines: Told[] }[] = []
  for (const line of [...lines].sort((a, b) => b.n - a.n)) {
    const last = days.at(-1)
    if (last?.day === line.day) last.lines.push(line)
    else days.push({ day: line.day, lines: [line] })
  }
  return days
}

/** The last line of a kind: what a review is about. */
export const lastOf = (lines: readonly TicketLine[], ...kinds: string[]): TicketLine | undefined =>
  [...lines].reverse().find((line) => kinds.includes(line.kind))

/**
 * What was claimed and found the time before: a redo begins with a clean sheet, so only the history has it. Null when nobody was asked.
 */
export function before(lines: readonly TicketLine[]): Pick<Ticket, 'reply' | 'visit' | 'contacts'> | null {
  const asked = [...lines].reverse().findIndex((line) => line.kind === 'visit')
  if (asked < 0) return null
  const until = lines.slice(0, lines.length - asked)
  const visit = until.at(-1)
  const reply = lastOf(until, 'reply')
  if (!visit) return null
  const all = (line: TicketLine) => ({ ...line.data, ...(line.personal ?? {}) }) as Record<string, unknown>
  const told = all(visit)
  const yes = (value: unknown) => (typeof value === 'boolean' ? value : null)
  const by = (line: TicketLine) => line.actor.replace(/^user:/, '')
  // Contacts of this round alone: those after the redo before it.
  const from = lastOf(until, 'redo')?.n ?? 0
  return {
    visit: {
      contacted: yes(told.contacted),
      solved: text(told.solved) || null,
      satisfied: text(told.satisfied) || null,
      matches: yes(told.matches),
      text: text(told.text) || null,
      at: visit.at,
      by: by(visit),
    },
    reply: reply
      ? { text: text(all(reply).text), claim: text(all(reply).claim), by: by(reply), at: reply.at }
      : null,
    contacts: until
      .filter((line) => line.kind === 'contact' && line.n > from)
      .map((line) => ({ at: line.at, how: text(line.data.how), by: by(line) })),
  }
}
