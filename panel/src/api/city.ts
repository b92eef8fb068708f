// The city's 12345: what it gave with its order, and what went to and fro about a ticket.
import { queryOptions } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'
import '../i18n/city'
import { list } from './http'

/** The city's own deadlines, and what it was asked for. */
export interface TicketCity {
  visits: boolean
  returned: boolean
  clocks: { name: string; due_at: string }[]
  asks: {
    what: string
    at: string
    until?: string | null
    granted?: boolean | null
    answered_at?: string | null
    reason?: string | null
  }[]
}

export interface CityLine {
  id: string
  direction: 'in' | 'out'
  kind: string
  at: string
  state?: string | null
  receipt?: string | null
  word?: string | null
  granted?: boolean | null
  until?: string | null
  contacted?: boolean | null
  solved?: string | null
  satisfied?: string | null
  points?: number | null
  text?: string | null
}

export const exchange = (no: Ref<string>) =>
  queryOptions({
    queryKey: ['ticket', no, 'city'],
    queryFn: async () => (await list<CityLine>(`/api/v1/tickets/${encodeURIComponent(no.value)}/city`)).items,
    enabled: computed(() => no.value !== ''),
    refetchInterval: 10_000,
  })

/** Keys of what a line says beside its kind, in the order they are read. */
export function saidBy(line: CityLine): string[] {
  const said: string[] = []
  if (typeof line.granted === 'boolean') said.push(line.granted ? 'granted' : 'refused')
  if (typeof line.contacted === 'boolean') said.push(line.contacted ? 'contacted' : 'not_contacted')
  if (line.solved) said.push(line.solved)
  if (line.satisfied) said.push(line.satisfied)
  return said
}
