// What the pages ask for, how often, and under which key the answers are shared.
import { infiniteQueryOptions, queryOptions } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'
import { events, list, request } from './http'
import type {
  Box,
  Call,
  Callback,
  FloorDay,
  Handover,
  HandoverTurns,
  Leaf,
  Page,
  RosterPlan,
  RosterRequest,
  RosterView,
  Ticket,
  TicketLine,
  Unit,
} from './types'

const path = (text: string) => encodeURIComponent(text)

/** Calls that are up now, from the engine's memory, every two seconds; the bar and the list share it. */
export const live = () =>
  queryOptions({
    queryKey: ['calls', 'live'],
    queryFn: async () => {
      const page = await list<Call>('/api/v1/calls/live')
      // Newest first, like every other list.
      return { ...page, items: [...page.items].sort((a, b) => b.started_at.localeCompare(a.started_at)) }
    },
    refetchInterval: 2000,
  })

/** Calls, newest first, page by page; the first page is looked at again every five seconds. */
export const recent = (caller: Ref<string>) =>
  infiniteQueryOptions({
    queryKey: ['calls', 'recent', caller],
    queryFn: ({ pageParam }) =>
      list<Call>('/api/v1/calls', { limit: 100, caller: caller.value.replace(/\s/g, ''), cursor: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: (q) => ((q.state.data?.pages.length ?? 0) > 2 ? 30_000 : 5000),
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
    queryFn: () => events(`/api/v1/calls/${path(id.value)}/events`),
    enabled: computed(() => id.value !== ''),
    refetchInterval: () => (running.value ? 2000 : false),
  })

/** Callbacks, those asked for last first; `open` leaves those that are over out. */
export const callbacks = (open: Ref<boolean>) =>
  infiniteQueryOptions({
    queryKey: ['callbacks', open],
    queryFn: ({ pageParam }) =>
      list<Callback>('/api/v1/callbacks', {
        limit: 100,
        state: open.value ? 'open' : null,
        cursor: pageParam,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: (q) => ((q.state.data?.pages.length ?? 0) > 2 ? 30_000 : 5000),
  })

/** Calls that ended with a voice message. */
export const messages = () =>
  infiniteQueryOptions({
    queryKey: ['calls', 'messages'],
    queryFn: ({ pageParam }) =>
      list<Call>('/api/v1/calls', { limit: 100, end_reason: 'message_left', cursor: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: 15_000,
  })

/** The tabs of the list: with a number, still a draft, ended as one. */
export type Kind = 'filed' | 'draft' | 'missed'

export const tickets = (kind: Ref<Kind>) =>
  infiniteQueryOptions({
    queryKey: ['tickets', kind],
    queryFn: ({ pageParam }) =>
      list<Ticket>('/api/v1/tickets', {
        limit: 100,
        cursor: pageParam,
        numbered: kind.value === 'filed' ? 'true' : null,
        state: kind.value === 'filed' ? null : kind.value,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    // Looking again means every page that is open: seldom when they are many.
    refetchInterval: (q) => ((q.state.data?.pages.length ?? 0) > 2 ? 30_000 : 5000),
  })

/** Numbers, telephones, words of the text: the newest that fit. */
export const search = (q: Ref<string>) =>
  queryOptions({
    queryKey: ['tickets', 'search', q],
    queryFn: ({ signal }) =>
      request<Page<Ticket>>(`/api/v1/tickets?limit=50&q=${encodeURIComponent(q.value)}`, { signal }),
    enabled: computed(() => [...q.value].length >= 2),
    staleTime: 10_000,
    retry: false,
  })

export const ticket = (no: Ref<string>) =>
  queryOptions({
    queryKey: ['ticket', no],
    queryFn: () => request<Ticket>(`/api/v1/tickets/${path(no.value)}`),
    enabled: computed(() => no.value !== ''),
    refetchInterval: 5000,
  })

/** What decides whether its citizen may be called: looked at once for many buttons. */
export const ticketFacts = (no: Ref<string>) =>
  queryOptions({
    queryKey: ['ticket', no],
    queryFn: () => request<Ticket>(`/api/v1/tickets/${path(no.value)}`),
    enabled: computed(() => no.value !== ''),
    staleTime: 30_000,
  })

/** The ticket by its id, or by the call whose draft it is. */
export const isOf = (one: Ticket, own: string): boolean =>
  one.id === own || one.calls.some((call) => (typeof call === 'string' ? call : call.id) === own)

/** The caller's last tickets, beside this call's own draft. Asked for while it still rings: quickly, and once. */
export const earlier = (caller: Ref<string>, own: Ref<string>) =>
  queryOptions({
    queryKey: ['tickets', 'of', caller],
    queryFn: () => list<Ticket>('/api/v1/tickets', { caller: caller.value, numbered: 'true', limit: 4 }),
    enabled: computed(() => caller.value !== ''),
    select: (page: Page<Ticket>) => ({
      ...page,
      items: page.items.filter((one) => !isOf(one, own.value)).slice(0, 3),
    }),
    staleTime: 30_000,
  })

/** Calls one agent took since a moment, newest first. */
export const taken = (agent: Ref<string>, since: Ref<string>) =>
  queryOptions({
    queryKey: ['calls', 'taken', agent, since],
    queryFn: () => list<Call>('/api/v1/calls', { agent: agent.value, since: since.value, limit: 500 }),
    enabled: computed(() => agent.value !== ''),
    refetchInterval: 30_000,
  })

/** How the day goes, and what is being spoken of. */
export const floor = () =>
  queryOptions({
    queryKey: ['floor'],
    queryFn: () => request<FloorDay>('/api/v1/floor'),
    refetchInterval: 10_000,
  })

/** A week of the roster; another shift's change shows within half a minute. */
export const roster = (from: Ref<string>) =>
  queryOptions({
    queryKey: ['roster', 'week', from],
    queryFn: () => request<RosterView>(`/api/v1/roster?from=${path(from.value)}`),
    refetchInterval: 30_000,
  })

export const rosterRequests = () =>
  queryOptions({
    queryKey: ['roster', 'requests'],
    queryFn: () => list<RosterRequest>('/api/v1/roster/requests'),
    refetchInterval: 10_000,
  })

/** Played days take the server a while the first time, and change with its files only. */
export const rosterSeats = (day: Ref<string>, shown: Ref<boolean>) =>
  queryOptions({
    queryKey: ['roster', 'seats', day],
    queryFn: () => request<RosterPlan>(`/api/v1/roster/plan?day=${path(day.value)}`),
    enabled: computed(() => shown.value),
    staleTime: 600_000,
  })

/** Changes of leads of the last day, newest first. */
export const handovers = (shown: Ref<boolean>) =>
  queryOptions({
    queryKey: ['roster', 'handovers'],
    queryFn: () => request<HandoverTurns>('/api/v1/roster/handovers'),
    enabled: computed(() => shown.value),
    refetchInterval: 30_000,
  })

export const handover = (shown: Ref<boolean>) =>
  queryOptions({
    queryKey: ['roster', 'handover'],
    queryFn: () => request<Handover>('/api/v1/roster/handover'),
    enabled: computed(() => shown.value),
    refetchInterval: 10_000,
  })

/** How many stand in each state, late and soon. */
export const boxes = (shown: Ref<boolean>) =>
  queryOptions({
    queryKey: ['tickets', 'boxes'],
    queryFn: async () => (await list<Box>('/api/v1/tickets/boxes')).items,
    enabled: computed(() => shown.value),
    refetchInterval: 10_000,
  })

/** Tickets of some states, whose next deadline comes first. Every ten seconds while one page is open, seldom when many are. */
export const byDue = (states: Ref<readonly string[]>, shown: Ref<boolean>) =>
  infiniteQueryOptions({
    queryKey: ['tickets', 'due', states],
    queryFn: ({ pageParam }) =>
      list<Ticket>('/api/v1/tickets', {
        limit: 100,
        cursor: pageParam,
        order: 'due',
        state: states.value.join(','),
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    enabled: computed(() => shown.value && states.value.length > 0),
    refetchInterval: (q) => ((q.state.data?.pages.length ?? 0) > 2 ? 60_000 : 10_000),
  })

/** Whom a visitor calls next, soonest first. */
export const visits = () =>
  infiniteQueryOptions({
    queryKey: ['tickets', 'visits'],
    queryFn: ({ pageParam }) => list<Ticket>('/api/v1/tickets/visits', { limit: 100, cursor: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: (q) => ((q.state.data?.pages.length ?? 0) > 2 ? 60_000 : 10_000),
  })

/** The district's units; they change with a version of the rules. */
export const units = () =>
  queryOptions({
    queryKey: ['units'],
    queryFn: async () => (await list<Unit>('/api/v1/units')).items,
    staleTime: 600_000,
  })

export const leaves = () =>
  queryOptions({
    queryKey: ['categories'],
    queryFn: async () => (await list<Leaf>('/api/v1/categories')).items,
    staleTime: 600_000,
  })

/** A ticket's history as it was written, oldest first. */
export const ticketLines = (no: Ref<string>) =>
  queryOptions({
    queryKey: ['ticket', no, 'lines'],
    queryFn: async () =>
      (await list<TicketLine>(`/api/v1/tickets/${path(no.value)}/events`)).items.sort((a, b) => a.n - b.n),
    enabled: computed(() => no.value !== ''),
    refetchInterval: 10_000,
  })

/** Something done with a ticket: the server decides, and answers with the ticket as it is then. */
export const act = (no: string, action: string, version: number, fields: Record<string, unknown> = {}) =>
  request<Ticket>(`/api/v1/tickets/${path(no)}/actions`, {
    method: 'POST',
    body: JSON.stringify({ action, version, ...fields }),
    // Done also when the page goes away meanwhile.
    keepalive: true,
  })
