// What can be done with a ticket and what each deed asks for; which boxes a desk has; whom a matter is proposed to. Pure.
import type { Leaf, Ticket } from '../api/types'
import { unitOfStreet } from './brief'

type Kind =
  | 'text'
  | 'area'
  | 'number'
  | 'date'
  | 'time'
  | 'one'
  | 'many'
  | 'yes'
  | 'unit'
  | 'units'
  | 'sub'
  | 'anyunit'
  | 'category'
  | 'street'

export interface Field {
  name: string
  kind: Kind
  needed?: boolean
  options?: readonly string[]
  /** What stands there before anything is written. */
  from?: (of: Ticket) => unknown
  /** Sent only when it is another than before. */
  changed?: boolean
}

const area = (name: string, needed = true): Field => ({ name, kind: 'area', needed })
const text = (name: string, needed = true): Field => ({ name, kind: 'text', needed })
const unit = (name: string, needed = true): Field => ({ name, kind: 'unit', needed })
const units = (name: string): Field => ({ name, kind: 'units' })
const date = (name: string): Field => ({ name, kind: 'date', needed: true })
const one = (name: string, options: readonly string[], needed = true): Field => ({
  name,
  kind: 'one',
  options,
  needed,
})
const own = (name: string, kind: Kind): Field => ({
  name,
  kind,
  changed: true,
  from: (of) => of[name] ?? '',
})

/** Whom it complains about. */
const whom: Field = {
  name: 'complained_unit',
  kind: 'anyunit',
  changed: true,
  from: (of) => of.complained?.unit ?? '',
}
const who: Field = {
  name: 'complained_person',
  kind: 'text',
  changed: true,
  from: (of) => of.complained?.person ?? '',
}

export const SECRECIES = ['normal', 'secret', 'anonymous'] as const
export const NOTIFIES = ['any', 'text_only', 'no_message'] as const
export const STEPS = ['list', 'first', 'territory', 'named'] as const
export const CLAIMS = ['solved', 'partial', 'explained'] as const
export const CONTACT_WAYS = ['phone', 'sms', 'text', 'visit'] as const
export const TRY_RESULTS = ['unreachable', 'not_the_person', 'refused', 'later'] as const
export const SOLVED = ['yes', 'partial', 'no'] as const
export const SATISFIED = ['satisfied', 'basic', 'not'] as const
export const LEVELS = ['remind', 'urge', 'supervise', 'joint', 'on_site'] as const
export const TICKS = ['happening', 'trapped', 'smoke', 'crowd'] as const

/** Every deed by its name on the wire, in the order its button stands; none: done at once. */
export const FORMS: Record<string, readonly Field[]> = {
  dispatch: [
    { ...unit('lead'), from: (of) => of.lead ?? '' },
    { ...units('assist'), from: (of) => of.assist ?? [] },
    { name: 'brief', kind: 'area', changed: true, from: (of) => of.brief ?? '' },
    text('reason', false),
  ],
  sign: [],
  sub_sign: [],
  contact: [
    { name: 'at', kind: 'time' },
    one('how', CONTACT_WAYS),
    one('what', ['result'], false),
    area('text', false),
  ],
  reply: [area('report'), area('text'), one('claim', CLAIMS)],
  sub_reply: [area('text')],
  assist_reply: [area('text')],
  sign_reply: [],
  review_pass: [],
  visit: [
    { name: 'contacted', kind: 'yes', needed: true },
    one('solved', SOLVED),
    one('satisfied', SATISFIED),
    { name: 'matches', kind: 'yes' },
    area('text', false),
    { name: 'redo', kind: 'yes' },
  ],
  visit_try: [one('result', TRY_RESULTS)],
  grant_return: [area('reason')],
  refuse_return: [area('reason')],
  decide_objection: [{ name: 'uphold', kind: 'yes', needed: true }, unit('lead', false), area('reason')],
  grant_extension: [
    { name: 'workdays', kind: 'number', needed: true, from: (of) => of.extension?.asked_workdays ?? '' },
  ],
  refuse_extension: [area('reason')],
  decide_joint: [
    { ...unit('lead'), from: (of) => of.lead ?? '' },
    { ...units('assist'), from: (of) => of.assist ?? [] },
    area('reason'),
  ],
  force: [unit('lead'), units('assist'), one('step', STEPS), area('reason')],
  pass_down: [{ name: 'unit', kind: 'sub', needed: true }, area('text', false)],
  clarify: [
    own('content', 'area'),
    own('brief', 'area'),
    own('category', 'category'),
    own('street', 'street'),
    own('address', 'text'),
    whom,
    who,
  ],
  protect: [
    { ...own('secrecy', 'one'), options: SECRECIES },
    { ...own('notify', 'one'), options: NOTIFIES },
    own('safe_time', 'text'),
    whom,
    who,
    one('special', ['retaliation'], false),
    text('reason', false),
  ],
  ask_clarification: [area('missing')],
  send_back: [area('reason')],
  review_back: [area('reason')],
  resume: [],
  progress: [area('text')],
  stage: [text('basis'), date('until'), area('text')],
  ask_extension: [{ name: 'workdays', kind: 'number', needed: true }, area('reason')],
  ask_return: [text('basis'), unit('to'), area('text', false)],
  object: [area('text')],
  ask_joint: [area('reason')],
  defer: [date('until'), area('plan')],
  redo: [area('reason')],
  supervise: [one('level', LEVELS), { name: 'deadline', kind: 'date' }, area('text')],
  end_supervision: [],
  urge: [area('text')],
  supplement: [area('text')],
  raise: [{ name: 'ticks', kind: 'many', options: TICKS, needed: true }, text('reason', false)],
  lower: [one('urgency', ['L', 'N', 'C']), text('reason')],
  approve_unreasonable: [area('reason')],
  ask_city_return: [text('basis'), area('text', false)],
  ask_city_extension: [date('until'), area('reason')],
  ask_city_exclusion: [text('basis'), area('text', false)],
  transfer: [area('reason')],
  transfer_receipt: [text('city_no')],
  transfer_refused: [area('reason')],
  merge: [text('into')],
  withdraw: [area('reason')],
  reject: [area('reason'), text('statute', false)],
}
const ORDER = Object.keys(FORMS)

/** What moves it on, and what ends or turns it back. */
const MAIN = new Set([
  'dispatch',
  'sign',
  'sub_sign',
  'reply',
  'sub_reply',
  'assist_reply',
  'sign_reply',
  'review_pass',
  'visit',
  'grant_return',
  'grant_extension',
  'decide_joint',
  'decide_objection',
  'clarify',
  'transfer_receipt',
  'resume',
])
const HARD = new Set(['reject', 'withdraw', 'merge', 'supervise', 'redo', 'force'])

export const isMain = (action: string) => MAIN.has(action)
export const isHard = (action: string) => HARD.has(action)

/** Those of the server's that this page knows, in the buttons' order. */
export function ordered(actions: readonly string[] | undefined): string[] {
  return [...(actions ?? [])]
    .filter((action) => action in FORMS)
    .sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))
}

export const may = (of: Pick<Ticket, 'actions'> | null | undefined, action: string): boolean =>
  of?.actions?.includes(action) ?? false

export type Values = Record<string, unknown>

export const blank = (fields: readonly Field[], of: Ticket): Values =>
  Object.fromEntries(
    fields.map((f) => [
      f.name,
      f.from?.(of) ?? (f.kind === 'units' || f.kind === 'many' ? [] : f.kind === 'yes' ? null : ''),
    ]),
  )

const empty = (value: unknown) =>
  value === null ||
  value === undefined ||
  (typeof value === 'string' && value.trim() === '') ||
  (Array.isArray(value) && value.length === 0)

/** Names of the fields that must be filled and are not. */
export const missing = (fields: readonly Field[], values: Values): string[] =>
  fields.filter((f) => f.needed && empty(values[f.name])).map((f) => f.name)

/** The service's own zone: what somebody writes as a time of day is meant so. */
const ZONE = '+08:00'

/** What is sent: nothing that is empty, nothing that only stands there as it was. */
export function bodyOf(fields: readonly Field[], values: Values, before: Values): Values {
  const body: Values = {}
  const complained: Values = {}
  for (const f of fields) {
    const value = values[f.name]
    if (f.changed && JSON.stringify(value) === JSON.stringify(before[f.name])) continue
    if (empty(value) && !f.changed) continue
    const part = f.name.startsWith('complained_')
    const [to, name] = part ? [complained, f.name.slice('complained_'.length)] : [body, f.name]
    to[name] =
      f.kind === 'number'
        ? Number(value)
        : f.kind === 'time'
          ? `${String(value).slice(0, 16)}:00${ZONE}`
          : typeof value === 'string'
            ? value.trim()
            : value
  }
  if (Object.keys(complained).length) body.complained = complained
  return body
}

/** Now, as a field for a time writes it. */
export const minuteOf = (now: number): string => new Date(now + 8 * 3_600_000).toISOString().slice(0, 16)

// ---- boxes

export interface BoxOf {
  name: string
  states: readonly string[]
  /** A part of them that only the tickets tell. */
  only?: (of: Ticket, now: number) => boolean
}

export const OPEN = [
  'accepted',
  'clarification',
  'dispatched',
  'return_review',
  'handling',
  'extension_review',
  'joint_review',
  'deferred',
  'staged',
  'replied',
  'awaiting_visit',
  'visited',
  'redo',
  'transferred',
] as const

const late = (of: Ticket, now: number) => {
  const due = of.next_due_at ?? of.due_at
  return due !== null && due !== undefined && Date.parse(due) < now
}

export const DISPATCH: readonly BoxOf[] = [
  { name: 'accepted', states: ['accepted'] },
  { name: 'return_review', states: ['return_review'] },
  { name: 'review', states: ['replied'], only: (of) => of.reply?.signed_at != null },
  { name: 'clarification', states: ['clarification'] },
  { name: 'dispatched', states: ['dispatched', 'redo'] },
  {
    name: 'soon',
    states: OPEN,
    only: (of, now) => late(of, now) || of.light === 'orange' || of.light === 'red',
  },
]

const UNIT_WORK = ['dispatched', 'redo', 'handling', 'staged', 'replied'] as const
export const UNIT: readonly BoxOf[] = [
  { name: 'todo', states: UNIT_WORK, only: (of) => of.state !== 'replied' || of.reply?.signed_at == null },
  { name: 'to_sign', states: ['dispatched', 'redo'] },
  { name: 'handling', states: ['handling', 'staged'] },
  { name: 'to_seal', states: ['replied'], only: (of) => of.reply?.signed_at == null },
  { name: 'redo', states: ['redo', 'handling', 'staged'], only: (of) => (of.redos ?? 0) > 0 },
  { name: 'returned', states: ['return_review'] },
  { name: 'extension', states: ['extension_review', 'joint_review', 'deferred'] },
  { name: 'supervised', states: OPEN, only: (of) => of.supervised != null },
  { name: 'replied', states: ['replied', 'awaiting_visit', 'visited'] },
]

export const OFFICE: readonly BoxOf[] = [
  { name: 'return_review', states: ['return_review'] },
  {
    name: 'objection',
    states: ['dispatched', 'handling'],
    only: (of) => Boolean(of.forced?.objected) && of.forced?.upheld == null,
  },
  { name: 'extension', states: ['extension_review'] },
  { name: 'joint', states: ['joint_review'] },
  { name: 'deferred', states: ['deferred'] },
  { name: 'supervised', states: OPEN, only: (of) => of.supervised != null },
  { name: 'transferred', states: ['transferred'] },
  { name: 'late', states: OPEN, only: late },
]

/** Many at once is for what can wait: an urgent matter is read before it is signed or sent. */
export const inBulk = (of: Pick<Ticket, 'urgency'>) => of.urgency !== 'U'

// ---- whom it is proposed to

export interface Candidate {
  unit: string
  /** `list`: the catalogue; `territory`: the street's; `agent`: who wrote it down. */
  why: 'agent' | 'list' | 'territory'
}

/** The catalogue's unit, the street's; never the one that is complained about. */
export function candidates(
  of: Pick<Ticket, 'lead' | 'category' | 'street' | 'complained'>,
  leaf: Leaf | undefined,
): Candidate[] {
  const street = unitOfStreet(of.street ?? '')
  const place = (unit: string) => (unit === 'street' ? street : unit)
  const found: Candidate[] = [
    { unit: place(leaf?.lead ?? ''), why: 'list' },
    { unit: of.lead ?? '', why: 'agent' },
    { unit: street, why: 'territory' },
  ]
  return found
    .filter(
      (one, n) =>
        one.unit && one.unit !== of.complained?.unit && found.findIndex((o) => o.unit === one.unit) === n,
    )
    .slice(0, 3)
}

/** Who helps: the catalogue's, without the one that leads. */
export function assisting(
  of: Pick<Ticket, 'street' | 'assist' | 'complained'>,
  leaf: Leaf | undefined,
  lead: string,
): string[] {
  const street = unitOfStreet(of.street ?? '')
  const all = [...(of.assist ?? []), ...(leaf?.assist ?? []).map((u) => (u === 'street' ? street : u))]
  return [...new Set(all)].filter((u) => u && u !== lead && u !== of.complained?.unit)
}

// ---- the reply, and the verdict on it

/** What a reply still lacks, in the order it is done. */
export function replyLacks(
  of: Pick<Ticket, 'contacts'>,
  words: { report: string; text: string; claim: string },
): string[] {
  return [
    ...((of.contacts ?? []).length ? [] : ['contact']),
    ...(words.report.trim() ? [] : ['report']),
    ...(words.text.trim() ? [] : ['text']),
    ...(words.claim ? [] : ['claim']),
  ]
}

export type Verdict = 'agrees' | 'differs' | null
/** Does what the citizen says bear out what the unit claims? Null: nobody has been asked. */
export function agreement(of: Pick<Ticket, 'reply' | 'visit'>): Verdict {
  const { reply, visit } = of
  if (!reply || !visit?.at) return null
  const promised = reply.claim === 'solved'
  const bad = visit.contacted === false || visit.matches === false || (promised && visit.solved !== 'yes')
  return bad ? 'differs' : 'agrees'
}

// ---- calling the citizen back

/** Minutes of the day, from–to: nobody is called at noon, in the evening once. */
const HOURS: [from: number, to: number, kind: 'day' | 'evening'][] = [
  [9 * 60, 12 * 60, 'day'],
  [14 * 60, 18 * 60, 'day'],
  [18 * 60, 20 * 60, 'evening'],
]

export interface VisitHour {
  ok: boolean
  /** Why not now, or what kind of hour it is. */
  why: 'day' | 'evening' | 'tried_evening' | 'noon' | 'night' | 'safe_time' | 'text_only'
}

/** May this citizen be called for his verdict now? His own times go before ours. */
export function visitHour(
  of: { notify?: unknown; safe_time?: unknown; visit?: Ticket['visit'] },
  now: number,
  refused: 'text_only' | 'not_now' | null,
): VisitHour {
  if (refused === 'text_only') return { ok: false, why: 'text_only' }
  if (refused === 'not_now') return { ok: false, why: 'safe_time' }
  if (typeof of.safe_time === 'string' && of.safe_time) return { ok: true, why: 'safe_time' }
  const day = (at: number) => new Date(at + 8 * 3_600_000)
  const minute = (at: number) => day(at).getUTCHours() * 60 + day(at).getUTCMinutes()
  const at = minute(now)
  const hour = HOURS.find(([from, to]) => at >= from && at < to)
  if (!hour) return { ok: false, why: at >= 12 * 60 && at < 14 * 60 ? 'noon' : 'night' }
  if (hour[2] === 'day') return { ok: true, why: 'day' }
  const evening = (of.visit?.tries ?? []).some((one) => {
    const tried = minute(Date.parse(one.at))
    return tried >= 18 * 60 && tried < 20 * 60
  })
  return evening ? { ok: false, why: 'tried_evening' } : { ok: true, why: 'evening' }
}
