// Knowledge: what the API answers, and what the pages ask for.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'
import '../i18n/kb'
import { list, query, request } from './http'
import type { Page } from './types'

export type Standing = 'current' | 'stale'

export interface KbHit {
  id: string
  title: string
  question: string
  answer: string
  version: number
  unit: string
  category: string
  standing: Standing
  why: string | null
  review_by: string
  live_at: string | null
  changed_today: boolean
}
export interface KbWording {
  id: string
  unit: string
  title: string
  text: string
  from_at: string
  until_at: string
  current: boolean
  by: string
}
export interface KbFound {
  items: KbHit[]
  wordings: KbWording[]
  took_ms: number
}
export interface KbItem {
  id: string
  title: string
  unit: string
  category: string
  stage: string
  head: number
  live: number | null
  standing: Standing | null
  why: string | null
  conflict: boolean
  review_by: string
  live_at: string | null
  changed_at: string
  writer: string
}
export interface KbText {
  version: number
  title: string
  questions: string[]
  answer: string
  full: string
  papers: string
  place: string
  basis: string
  unit: string
  category: string
  valid_from: string | null
  valid_until: string | null
  review_by: string
  source: string
  confidence: string
  at: string
  by: string
}
export interface KbEntry {
  id: string
  stage: string
  version: number
  head: number
  live: number | null
  live_at: string | null
  standing: Standing | null
  why: string | null
  doubt: string | null
  conflict: { text: string; with: string | null } | null
  text: KbText
  live_text: KbText | null
  obstacles: string[]
  actions: string[]
  writer: string
  created_at: string
  changed_at: string
}
export interface KbEvent {
  n: number
  at: string
  step: string
  by: string
  version: number
  reason: string
}
export interface KbToday {
  changed: KbHit[]
  retired: KbItem[]
  wordings: KbWording[]
}
export interface KbQuote {
  id: string
  entry: string
  version: number
  call: string
  ticket: string | null
  at: string
  by: string
  text: KbText
}
export interface KbCorrection {
  id: string
  entry: string
  version: number
  unit: string
  at: string
  by: string
  text: string
  due_at: string
  late: boolean
  outcome: string | null
  answer: string | null
  done_at: string | null
  done_by: string | null
}
export interface KbNotice {
  id: string
  unit: string
  at: string
  by: string
  effective_on: string
  text: string
  entries: { entry: string; done_at: string | null }[]
  due_at: string
  late: boolean
  late_ms: number
  done_at: string | null
}
export interface KbGaps {
  since: string
  searches: { q: string; times: number; last_at: string; found: number }[]
  passed_on: { category: string; times: number; entries: string[] }[]
}

export interface KbUnit {
  unit: string
  live: number
  stale: number
  due_soon: number
  published: number
  corrections: number
  corrections_late: number
  notices: number
  notices_late: number
}

const AT = '/api/v1/kb'
const path = (id: string) => `${AT}/${encodeURIComponent(id)}`
const post = <T>(to: string, body?: unknown) =>
  request<T>(to, { method: 'POST', ...(body === undefined ? {} : { body: JSON.stringify(body) }) })

/** While somebody types: the last answer stays until the next one is there. */
export const kbSearch = (q: Ref<string>) =>
  queryOptions({
    queryKey: ['kb', 'search', q],
    queryFn: () => request<KbFound>(`${AT}/search${query({ q: q.value })}`),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  })

/** The banner of the day. */
export const kbToday = () =>
  queryOptions({
    queryKey: ['kb', 'today'],
    queryFn: () => request<KbToday>(`${AT}/today`),
    refetchInterval: 60_000,
  })

export const kbQuotes = (call: Ref<string>) =>
  queryOptions({
    queryKey: ['kb', 'quotes', call],
    queryFn: () => list<KbQuote>(`${AT}/quotes`, { call: call.value }),
    enabled: computed(() => call.value !== ''),
  })

export const kbEntries = (stage: Ref<string>, unit: Ref<string>) =>
  infiniteQueryOptions({
    queryKey: ['kb', 'entries', stage, unit],
    queryFn: ({ pageParam }) =>
      list<KbItem>(AT, { limit: 100, stage: stage.value, unit: unit.value, cursor: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: (last: Page<KbItem>) => last.next,
    refetchInterval: 30_000,
  })

export const kbEntry = (id: Ref<string>) =>
  queryOptions({
    queryKey: ['kb', 'entry', id],
    queryFn: () => request<KbEntry>(path(id.value)),
    enabled: computed(() => id.value !== ''),
  })

export const kbHistory = (id: Ref<string>, shown: Ref<boolean>) =>
  queryOptions({
    queryKey: ['kb', 'history', id],
    queryFn: async () => {
      const [versions, events] = await Promise.all([
        list<KbText>(`${path(id.value)}/versions`),
        list<KbEvent>(`${path(id.value)}/events`),
      ])
      return { versions: versions.items, events: events.items }
    },
    enabled: shown,
  })

export const kbCorrections = (open: Ref<boolean>) =>
  queryOptions({
    queryKey: ['kb', 'corrections', computed(() => String(open.value))],
    queryFn: () => list<KbCorrection>(`${AT}/corrections`, { open: open.value ? 'true' : null }),
    refetchInterval: 30_000,
  })

export const kbNotices = (open: Ref<boolean>) =>
  queryOptions({
    queryKey: ['kb', 'notices', computed(() => String(open.value))],
    queryFn: () => list<KbNotice>(`${AT}/notices`, { open: open.value ? 'true' : null }),
    refetchInterval: 30_000,
  })

export const kbGaps = () =>
  queryOptions({ queryKey: ['kb', 'gaps'], queryFn: () => request<KbGaps>(`${AT}/gaps`) })

export const kbUnits = () =>
  queryOptions({ queryKey: ['kb', 'units'], queryFn: () => list<KbUnit>(`${AT}/units`) })

export const quote = (hit: Pick<KbHit, 'id' | 'version'>, call: string) =>
  post<KbQuote>(`${AT}/quotes`, { entry: hit.id, version: hit.version, call })

/** How a search ended. A figure only: what goes wrong with it is nobody's concern at the desk. */
export const searched = (q: string, used?: string) =>
  post(`${AT}/searches`, used ? { q, used } : { q }).catch(() => {})

export const report = (id: string, text: string) => post<KbCorrection>(`${path(id)}/corrections`, { text })

export const act = (entry: KbEntry, action: string, more: { reason?: string; with?: string }) =>
  post<KbEntry>(`${path(entry.id)}/actions`, { action, version: entry.version, ...more })

export const write = (id: string | null, body: Record<string, unknown>) =>
  id === null
    ? post<KbEntry>(AT, body)
    : request<KbEntry>(path(id), { method: 'PATCH', body: JSON.stringify(body) })

export const answerCorrection = (id: string, outcome: string, answer: string) =>
  request<KbCorrection>(`${AT}/corrections/${encodeURIComponent(id)}`, {
    method: 'PATCH',
    body: JSON.stringify({ outcome, answer }),
  })

export const tell = (body: { unit?: string; effective_on: string; text: string; entries: string[] }) =>
  post<KbNotice>(`${AT}/notices`, body)

export const closeNotice = (id: string) => post<KbNotice>(`${AT}/notices/${encodeURIComponent(id)}/close`)

export const agree = (body: { unit: string; title: string; text: string; until_at: string }) =>
  post<KbWording>(`${AT}/wordings`, body)
export const withdraw = (id: string) =>
  request(`${AT}/wordings/${encodeURIComponent(id)}`, { method: 'DELETE' })
