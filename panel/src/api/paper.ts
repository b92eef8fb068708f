// Sheets of paper that were written while the system was down.
import { queryOptions } from '@tanstack/vue-query'
import '../i18n/paper'
import { list, request } from './http'
import type { Page } from './types'

export interface Sheet {
  sheet: string
  ticket?: string | null
  no?: string | null
  /** Why it is void. */
  void?: string | null
  received_at?: string | null
  entered_at: string
  by: string
  /** Shown once, when it is entered. */
  code?: string | null
}

export type Sheets = Page<Sheet> & { missing: [string, string][] }

export const sheets = () =>
  queryOptions({
    queryKey: ['tickets', 'paper'],
    queryFn: () => list<Sheet>('/api/v1/paper') as Promise<Sheets>,
  })

export const enter = (body: { sheet: string; received_at?: string; void?: string }) =>
  request<Sheet>('/api/v1/paper', { method: 'POST', body: JSON.stringify(body) })
