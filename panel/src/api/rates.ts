// 三率两度: numbers of a period by unit, the tickets behind one, and what was published.
import { infiniteQueryOptions, queryOptions } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'
import '../i18n/rates'
import { list, request } from './http'

export interface Rate {
  unit?: string | null
  name: string
  numerator: number
  denominator: number
  missing: number
  rate_pct?: number | null
  few: boolean
}

export interface RateTicket {
  id: string
  no?: string | null
  unit?: string | null
  due_at: string
  /** Hundredths. */
  value?: number | null
}

export interface PublishedPeriod {
  id: string
  title: string
  from: string
  to: string
  at: string
  by: string
  tickets: number
}

export interface RateCorrection {
  id: string
  no?: string | null
  what: string
  unit_then?: string | null
  unit_now?: string | null
  values: { name: string; then?: number | null; now?: number | null }[]
}

/** Days, or a published period, as the server reads them: `from=2026-11-01&to=2026-12-01`, `period=p-1`. */
export type RateSource = string
const fields = (source: Ref<RateSource>) => Object.fromEntries(new URLSearchParams(source.value))

export interface RatePick {
  name: string
  unit: string | null
  which: string
}

/** All units together first, then each. */
export const rates = (source: Ref<RateSource>) =>
  queryOptions({
    queryKey: ['rates', source],
    queryFn: async () => {
      const [all, units] = await Promise.all([
        list<Rate>('/api/v1/indicators', fields(source)),
        list<Rate>('/api/v1/indicators', { ...fields(source), by: 'unit' }),
      ])
      return { all: all.items, units: units.items }
    },
    enabled: computed(() => source.value !== ''),
  })

export const behind = (source: Ref<RateSource>, pick: Ref<RatePick | null>) =>
  infiniteQueryOptions({
    queryKey: ['rates', source, 'behind', computed(() => JSON.stringify(pick.value))],
    queryFn: ({ pageParam }) =>
      list<RateTicket>(`/api/v1/indicators/${pick.value?.name}/tickets`, {
        ...fields(source),
        unit: pick.value?.unit ?? null,
        which: pick.value?.which === 'all' ? null : (pick.value?.which ?? null),
        limit: 100,
        cursor: pageParam,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    enabled: computed(() => pick.value !== null),
  })

export const periods = () =>
  queryOptions({
    queryKey: ['rates', 'periods'],
    queryFn: () => list<PublishedPeriod>('/api/v1/indicators/periods', { limit: 100 }),
  })

export const corrections = (id: Ref<string>) =>
  infiniteQueryOptions({
    queryKey: ['rates', 'corrections', id],
    queryFn: ({ pageParam }) =>
      list<RateCorrection>(`/api/v1/indicators/periods/${encodeURIComponent(id.value)}/corrections`, {
        limit: 100,
        cursor: pageParam,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    enabled: computed(() => id.value !== ''),
  })

export const publish = (body: { title: string; from: string; to: string }) =>
  request<PublishedPeriod>('/api/v1/indicators/periods', { method: 'POST', body: JSON.stringify(body) })
