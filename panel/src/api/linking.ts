// Calls and tickets are n:m: what is like a matter, what may be promised, one ticket more, a call for an older one.
import { queryOptions } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'
import '../i18n/linking'
import { list, request } from './http'
import type { Ticket } from './types'

export interface Similar {
  own?: Ticket[]
  near?: number
  near_at?: string | null
  near_tickets?: Ticket[]
}

export interface Promised {
  name: string
  due_at: string
  unsure: boolean
}

/** What a matter is looked for by. */
export interface Matter {
  category: string
  street: string
  caller: string
  besides: string
}

const query = (fields: Record<string, string>) =>
  new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== '')).toString()

/** Asked for when category, street or caller change, not with every letter; an older question is dropped. */
export const similar = (matter: Ref<Matter>) =>
  queryOptions({
    queryKey: ['tickets', 'similar', computed(() => query({ ...matter.value }))],
    queryFn: ({ signal }) =>
      request<Similar>(`/api/v1/tickets/similar?${query({ ...matter.value })}`, { signal }),
    enabled: computed(() => matter.value.category !== ''),
    staleTime: 15_000,
    refetchInterval: 30_000,
    retry: false,
  })

export const promises = (of: Ref<{ type: string; category: string; urgency: string }>) =>
  queryOptions({
    queryKey: ['tickets', 'promises', computed(() => query({ ...of.value }))],
    queryFn: ({ signal }) =>
      request<{ items?: Promised[] }>(`/api/v1/tickets/promises?${query({ ...of.value })}`, { signal }),
    enabled: computed(() => of.value.type !== '' && of.value.category !== ''),
    // They move with the clock.
    refetchInterval: 30_000,
    retry: false,
  })

/** All tickets of one call, its own draft first. */
export const ofCall = (call: Ref<string>) =>
  queryOptions({
    queryKey: ['tickets', 'of call', call],
    queryFn: () => list<Ticket>('/api/v1/tickets', { call: call.value, limit: 20 }),
    enabled: computed(() => call.value !== ''),
    select: (page) => [...(page.items ?? [])].sort((a, b) => a.created_at.localeCompare(b.created_at)),
  })

const at = (name: string, what: string) => `/api/v1/tickets/${encodeURIComponent(name)}/${what}`

export const split = (name: string) =>
  request<{ ticket: Ticket; code: string }>(at(name, 'split'), { method: 'POST', body: '{}' })

export const link = (
  name: string,
  wish: { version: number; into: string; action?: string; text?: string },
): Promise<Ticket> => request<Ticket>(at(name, 'link'), { method: 'POST', body: JSON.stringify(wish) })
