// What the pages ask for, how often, and under which key the answers are shared.
import { infiniteQueryOptions, queryOptions } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'
import { events, list, request } from './http'
import type { Call, Ticket } from './types'

const path = (text: string) => encodeURIComponent(text)

/** Calls that are up now, every two seconds; the bar and the list share it. */
export const live = () =>
  queryOptions({ queryKey: ['calls', 'live'], queryFn: () => list<Call>('/api/v1/calls', { state: 'live', limit: 200 }), refetchInterval: 2000 })

/** Calls, newest first, page by page; the first page is looked at again every five seconds. */
export const recent = (caller: Ref<string>) =>
  infiniteQueryOptions({
    queryKey: ['calls', 'recent', caller],
    queryFn: ({ pageParam }) => list<Call>('/api/v1/calls', { limit: 50, caller: caller.value.replace(/\s/g, ''), cursor: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: 5000,
  })

export const call = (id: Ref<string>) =>
  queryOptions({
    queryKey: ['call', id],
    queryFn: () => request<Call>(`/api/v1/calls/${path(id.value)}`),
    enabled: computed(() => id.value !== ''),
    refetchInterval: (q) => (q.state.data?.state === 'ended' ? false : 2000),
  })

export const callEvents = (id: Ref<string>, running: Ref<boolean>) =>
  queryOptions({
    queryKey: ['call', id, 'events'],
    queryFn: () => events(`/api/v1/calls/${path(id.value)}/events?limit=500`),
    enabled: computed(() => id.value !== ''),
    refetchInterval: () => (running.value ? 2000 : false),
  })

export const tickets = (drafts: Ref<boolean>) =>
  infiniteQueryOptions({
    queryKey: ['tickets', drafts],
    queryFn: ({ pageParam }) =>
      list<Ticket>('/api/v1/tickets', { limit: 50, cursor: pageParam, ...(drafts.value ? { state: 'draft,missed' } : { numbered: 'true' }) }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: 5000,
  })

export const ticket = (no: Ref<string>) =>
  queryOptions({
    queryKey: ['ticket', no],
    queryFn: () => request<Ticket>(`/api/v1/tickets/${path(no.value)}`),
    enabled: computed(() => no.value !== ''),
    refetchInterval: 5000,
  })

export const ticketEvents = (no: Ref<string>) =>
  queryOptions({
    queryKey: ['ticket', no, 'events'],
    queryFn: () => events(`/api/v1/tickets/${path(no.value)}/events?limit=500`),
    enabled: computed(() => no.value !== ''),
    refetchInterval: 5000,
  })
