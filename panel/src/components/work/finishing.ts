// The ticket behind the form: read once, saved once, and what stands in the way of saving it.
import { useQueryClient } from '@tanstack/vue-query'
import { computed, onBeforeUnmount, onMounted, ref, shallowRef, watch, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { request, RequestFailed } from '../../api/http'
import type { Ticket } from '../../api/types'
import { word } from '../../i18n'
import { dropDraft, type Draft } from '../../lib/drafts'
import { changeOf, finish, sameWords, unsaved, type Goal } from '../../lib/finish'
import { useCti } from '../../stores/cti'

/** The draft comes into the tables a moment after the call. */
const LOOKS = 5
const BETWEEN_MS = 1000
/** Every save is a line of the ticket's history: not one for each pause of a sentence. */
const STORE_MS = 15_000

export interface Finishing {
  ticket: Readonly<Ref<Ticket | null>>
  /** This call has no ticket. */
  none: Readonly<Ref<boolean>>
  /** Codes by field. */
  errors: Ref<Record<string, string>>
  told: Readonly<Ref<string>>
  saving: Readonly<Ref<Goal | null>>
  /** Nothing can be changed here any more. */
  finished: Readonly<Ref<boolean>>
  /** Puts the draft's words to the server while the call goes on; true when it has them all. */
  store: () => Promise<boolean>
  save: (goal: Goal, reason?: string) => Promise<boolean>
  /** Reads the ticket anew: something else was done to it than saving. */
  again: () => Promise<void>
  /** Before wrap-up ends: true when nothing of the ticket is left to do. */
  whole: () => Promise<boolean>
}

/** `outbound`: a call of ours may have no ticket at all. `keep`: puts the draft's last words on this device. */
export function useFinishing(
  name: string,
  outbound: boolean,
  draft: Draft,
  keep: () => Promise<void>,
): Finishing {
  const { t } = useI18n()
  const queries = useQueryClient()
  const ticket = shallowRef<Ticket | null>(null)
  const none = ref(false)
  const errors = ref<Record<string, string>>({})
  const told = ref('')
  const saving = ref<Goal | null>(null)
  const finished = computed(() => ticket.value !== null && ticket.value.state !== 'draft')
  const state = (one: Ticket) => word('ticketState', one.state)

  let timer: ReturnType<typeof setTimeout> | undefined
  async function look(left = LOOKS) {
    try {
      ticket.value ??= await request<Ticket>(`/api/v1/tickets/${encodeURIComponent(name)}`)
    } catch (e) {
      if (!(e instanceof RequestFailed)) throw e
      if (e.status === 404 && outbound) none.value = true
      else if (left > 1) timer = setTimeout(() => void look(left - 1), BETWEEN_MS)
    }
  }
  // Somebody else, or another page of ours, has finished it.
  const cti = useCti()
  watch(
    () => cti.world.updated,
    (told) => {
      const ours = told && (told.ticket === name || told.call === name)
      if (!ours || told.state === 'draft' || saving.value || finished.value) return
      ticket.value = null
      void look()
    },
  )
  onMounted(() => void look())
  onBeforeUnmount(() => clearTimeout(timer))

  // A field that is being mended is not wrong any more.
  for (const field of [
    'type',
    'category',
    'street',
    'lead',
    'content',
    'brief',
    'tags',
    'assist',
    'secrecy',
    'special',
    'notify',
    'safe_time',
    'name',
    'number',
    'address',
  ] as const)
    watch(
      () => draft[field],
      () => field in errors.value && (errors.value = without(errors.value, field)),
    )

  let stored = -Infinity
  let storing: Promise<boolean> = Promise.resolve(false)
  /** One after the other; what fails stays on this device and goes with the next. */
  function store(): Promise<boolean> {
    storing = storing.then(async () => {
      const was = ticket.value
      if (!was || finished.value || saving.value) return false
      const news = unsaved(draft, was)
      if (!news) return true
      if (performance.now() - stored < STORE_MS) return false
      stored = performance.now()
      const path = `/api/v1/tickets/${encodeURIComponent(name)}`
      try {
        ticket.value = await request<Ticket>(path, { method: 'PATCH', body: JSON.stringify(news) })
        return unsaved(draft, ticket.value) === null
      } catch (e) {
        // The network, or an answer that is none: the words stay here for the next time.
        if (!(e instanceof RequestFailed)) return false
        if (e.problem.code !== 'changed') return false
        // A line of the engine's is no conflict; another person's words are told when it is finished.
        const now = await request<Ticket>(path).catch(() => null)
        if (now && sameWords(now, was)) {
          ticket.value = now
          stored = -Infinity
        }
        return false
      }
    })
    return storing
  }

  /** The server could not be asked at the last try. */
  let away = false
  async function save(goal: Goal, reason = ''): Promise<boolean> {
    if (saving.value) return false
    if (finished.value) return true
    if (goal !== 'void' && !draft.secrecy) {
      errors.value = { secrecy: 'ask_first' }
      told.value = word('error', 'ask_first')
      return false
    }
    saving.value = goal
    errors.value = {}
    told.value = ''
    away = false
    try {
      await keep()
      await storing
      const outcome = await finish(name, ticket.value, changeOf(draft, goal, reason))
      switch (outcome.is) {
        case 'saved':
          ticket.value = outcome.ticket
          await dropDraft(name).catch(() => {})
          void queries.invalidateQueries({ queryKey: ['tickets'] })
          return true
        case 'refused':
          errors.value = outcome.errors
          told.value = outcome.errors.state ? word('error', outcome.errors.state) : t('finish.check')
          return false
        case 'changed':
          ticket.value = outcome.ticket
          told.value = t(finished.value ? 'finish.final' : 'finish.changed', { state: state(outcome.ticket) })
          return false
        case 'failed': {
          const { status } = outcome.problem
          away = status === 0 || status >= 500
          told.value =
            status === 0
              ? t('finish.away')
              : status === 403
                ? t('finish.denied')
                : t('finish.failed', { status })
          return false
        }
      }
    } finally {
      saving.value = null
    }
  }

  async function whole(): Promise<boolean> {
    if (finished.value || none.value) return true
    // A database that is down must not keep an agent from the next caller: once told, the second press goes on.
    if (away) return true
    return save('accepted')
  }

  async function again() {
    ticket.value = null
    await look()
    if (finished.value) await dropDraft(name).catch(() => {})
  }

  return { ticket, none, errors, told, saving, finished, store, save, again, whole }
}

function without(all: Record<string, string>, field: string): Record<string, string> {
  const { [field]: _, ...rest } = all
  return rest
}
