// What administrators read and write, and what is told when it is refused. Pure but for `send`.
import { RequestFailed, request } from '../api/http'

export interface User {
  name: string
  display: string
  unit: string | null
  roles: string[]
  disabled: boolean
  created_at: string
  skills?: Record<string, number>
  queues?: string[] | null
  mobile?: string | null
}
export interface Service {
  key: string
  name_zh: string
  name_en: string
  number: string
  rank: number
  emergency: boolean
  dialable: boolean
  changed_at: string
  changed_by: string
}
export interface Duty {
  id: string
  unit: string
  label: string
  number: string
  days: string[]
  from: string
  to: string
  rank: number
  tested_at: string | null
  result: string | null
  tested_by: string | null
  sip_status?: number | null
  ring_ms?: number | null
  overdue: boolean
  dialable: boolean
}
export interface Legacy {
  number: string
  unit: string | null
  queue: string | null
  skill: string | null
  greeting: string | null
  ends_on: string | null
  note: string | null
  in_force: boolean
  rings: boolean
  calls: number
  last_call_at: string | null
}
export interface Trunk {
  name: string
  peers: string[]
  target: string | null
  transport: string
  asks_password: boolean
  outgoing: boolean
  max_calls: number
  registers: boolean
  registered: boolean | null
  live_calls: number
  calls_today: number
  answered_today: number
}
export interface Phone {
  name: string
  registered: boolean
  contacts: number
  agent: string | null
}
export interface QueueSetting {
  name: string
  answer: string
  max_waiting: number
}
export interface QueueNow {
  queue: string
  waiting: number
  staffed: number
  free: number
  talking: number
}
export interface FlowFile {
  name: string
  in_folder: boolean
  bytes: number
  hash: string
  entry: boolean
}
export interface Shelf<T> {
  items: T[]
  folder: string
  writable: boolean
}
export interface FlowText {
  name: string
  hash: string
  text: string
  versions: { hash: string; at: string }[]
}
export interface FlowProblem {
  file: string
  line: number
  column: number
  message: string
}
export interface PromptSound {
  name: string
  text: string
  ms: number
  level_dbfs: number
  peak_dbfs: number
  in_folder: boolean
  waiting: boolean
}

export const ROLES =
  'agent lead dispatcher unit unit_head visitor office leader kb qa auditor analyst observer security admin'.split(
    ' ',
  )
export const DAYS = ['workday', 'weekend', 'holiday']
export const RESULTS = ['answered', 'busy', 'no_answer', 'wrong_number', 'failed']

export type Tab = 'users' | 'lines' | 'queues' | 'flows' | 'prompts' | 'numbers' | 'sessions' | 'outbox'
const OF: Record<string, Tab[]> = {
  admin: ['users', 'lines', 'queues', 'flows', 'prompts', 'numbers', 'outbox'],
  // Leads test the duty numbers and plan sessions; the rest is the administrator's.
  lead: ['numbers', 'sessions', 'outbox'],
  office: ['sessions', 'outbox'],
}
const TABS: Tab[] = ['users', 'lines', 'queues', 'flows', 'prompts', 'numbers', 'sessions', 'outbox']
export function tabsOf(roles: readonly string[]): Tab[] {
  const own = roles.flatMap((role) => OF[role] ?? [])
  return TABS.filter((tab) => own.includes(tab))
}

/** A session in which the head of a department takes calls. */
export interface Session {
  id: string
  no: number
  unit: string
  date: string
  from: string
  to: string
  names: string
  scope: string
  seat: string
  recorder: string | null
  state: 'planned' | 'open' | 'over' | 'cancelled'
  version: number
  changed_at: string
  changed_by: string
}
export interface SessionReport {
  session: Session
  asked: number
  taken: number
  by_others: number
  unreached: number
  tickets: number
  unfinished: number
  closed: number
  talk_ms: number
  calls: {
    call: string
    started_at: string
    taken: boolean
    agents: string[]
    recorder: string | null
    waited_ms: number | null
    talk_ms: number
    ticket: string | null
    no: string | null
    state: string | null
    title: string | null
    lead: string | null
  }[]
}

export function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  const raw = typeof body === 'string' || body instanceof Blob
  const content = body === undefined ? {} : { body: raw ? (body as BodyInit) : JSON.stringify(body) }
  return request<T>(`/api/v1/${path}`, { method, ...content })
}

export interface Faults {
  /** What is wrong with each field: a code for the page's words, and the server's own. */
  fields: Record<string, { code: string; detail: string }>
  rest: string[]
}

/** Every fault of a refused request, at its field where it has one. */
export function faults(error: unknown): Faults {
  if (!(error instanceof RequestFailed)) return { fields: {}, rest: [String(error)] }
  const { errors = [], problems = [], detail, title } = error.problem
  const fields = Object.fromEntries(errors.map((e) => [e.field, { code: e.code, detail: e.detail }]))
  const told = new Set(errors.map((e) => e.detail))
  const rest = problems.filter((p) => !told.has(p))
  return { fields, rest: errors.length || rest.length ? rest : [detail ?? title] }
}

/** Only what differs; lists by their content. */
export function changed<T extends object>(before: T, after: T): Partial<T> {
  const keys = Object.keys(after) as (keyof T)[]
  return Object.fromEntries(
    keys.filter((k) => JSON.stringify(before[k]) !== JSON.stringify(after[k])).map((k) => [k, after[k]]),
  ) as Partial<T>
}

/** `方言 3, english`: skills as they are typed; a level is 1 when it is left out. Null: not to be read. */
export function skills(text: string): Record<string, number> | null {
  const found: Record<string, number> = {}
  for (const part of text.split(/[,，;；]/).map((p) => p.trim())) {
    if (!part) continue
    const m = /^(\S+?)(?:[\s:：]+([1-9]))?$/.exec(part)
    if (!m?.[1]) return null
    found[m[1]] = Number(m[2] ?? 1)
  }
  return found
}
export const skillsText = (all: Record<string, number> | undefined): string =>
  Object.entries(all ?? {})
    .map(([name, level]) => `${name} ${level}`)
    .join(', ')

export const words = (text: string): string[] =>
  text
    .split(/[,，;；\s]+/)
    .map((w) => w.trim())
    .filter(Boolean)

/** Speech on telephones sounds right between these; beyond them somebody turns the handset up or away. */
export const loudness = (dbfs: number): 'quiet' | 'fine' | 'loud' =>
  dbfs < -30 ? 'quiet' : dbfs > -12 ? 'loud' : 'fine'
