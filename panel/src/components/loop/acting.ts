// One deed with one ticket: sent with the version that was seen, and what stands in its way said at its field.
import { useQueryClient } from '@tanstack/vue-query'
import { ref, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { request, RequestFailed } from '../../api/http'
import { act } from '../../api/queries'
import type { Ticket } from '../../api/types'

/** What a deed was decided on; a reminder or a view in between changes none of it. */
const grounds = (of: Ticket) =>
  JSON.stringify([
    of.state,
    of.lead,
    of.assist,
    of.urgency,
    of.brief,
    of.reply?.at,
    of.reply?.signed_at,
    of.forced,
  ])

export interface Acting {
  busy: Readonly<Ref<boolean>>
  /** Words by field. */
  errors: Ref<Record<string, string>>
  /** What belongs to no field, in words. */
  told: Ref<string>
  /** True when it is done. `fields`: those the page can say something at. */
  run: (
    of: Ticket,
    action: string,
    body?: Record<string, unknown>,
    fields?: readonly string[],
  ) => Promise<boolean>
}

export function useActing(): Acting {
  const { t, te } = useI18n()
  const queries = useQueryClient()
  const busy = ref(false)
  const errors = ref<Record<string, string>>({})
  const told = ref('')

  const words = (code: string, detail: string) => {
    const key = `act.error.${code}`
    // A guard's own sentence says more than its code.
    if (!te(key)) return detail || code
    return ['state', 'limit', 'late', 'role'].includes(code) && detail ? `${t(key)} · ${detail}` : t(key)
  }

  async function run(
    of: Ticket,
    action: string,
    body: Record<string, unknown> = {},
    fields: readonly string[] = [],
  ): Promise<boolean> {
    const name = of.no ?? of.id
    busy.value = true
    errors.value = {}
    told.value = ''
    try {
      const now = await act(name, action, of.version, body).catch(async (e: unknown) => {
        if (!(e instanceof RequestFailed) || e.status !== 409) throw e
        // Only a clock has written meanwhile: what was seen still stands, and so does the deed.
        const fresh = await request<Ticket>(`/api/v1/tickets/${encodeURIComponent(name)}`)
        if (grounds(fresh) !== grounds(of) || !fresh.actions?.includes(action)) throw e
        return act(name, action, fresh.version, body)
      })
      // Whoever looks at it by number or by id sees it as it is now.
      for (const key of new Set([name, of.id])) queries.setQueryData(['ticket', key], now)
      return true
    } catch (e) {
      told.value = refused(e, fields)
      return false
    } finally {
      busy.value = false
      void queries.invalidateQueries({ queryKey: ['ticket'] })
      void queries.invalidateQueries({ queryKey: ['tickets'] })
    }
  }

  function refused(e: unknown, fields: readonly string[]): string {
    if (!(e instanceof RequestFailed)) return e instanceof Error ? e.message : String(e)
    const rest: string[] = []
    for (const { field, code, detail } of e.problem.errors ?? []) {
      if (fields.includes(field)) errors.value[field] = words(code, detail)
      else rest.push(words(code, detail))
    }
    if (rest.length) return rest.join(' · ')
    if (Object.keys(errors.value).length) return ''
    if (e.status === 0) return t('act.away')
    if (e.status === 403) return t('act.denied')
    if (e.status === 404) return t('act.gone')
    if (e.status === 409) return t('act.changed')
    return e.problem.detail ?? t('act.failed', { status: e.status })
  }
  return { busy, errors, told, run }
}
