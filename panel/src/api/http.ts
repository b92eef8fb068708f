// Requests to the server: JSON in, JSON out, problem documents as errors. The session is a cookie the page never sees.
import { ref } from 'vue'
import type { CallEvent, Page, Problem } from './types'

/** A request that did not do what it should: the server's own words, or why there were none. */
export class RequestFailed extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title)
  }
  get status() {
    return this.problem.status
  }
}

/** When the server last answered, by its own clock (milliseconds since 1970), and what to add to ours to get its. */
export const heard = ref<number | null>(null)
export const skew = ref(0)

/** Told when a request was refused for want of a session. */
export const onSignedOut: { call: () => void } = { call: () => {} }

export async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  let answer: Response
  try {
    answer = await fetch(path, {
      ...init,
      credentials: 'same-origin',
      headers: { accept: 'application/json', ...(init.body ? { 'content-type': 'application/json' } : {}) },
    })
  } catch {
    throw new RequestFailed({ status: 0, title: 'unreachable' })
  }
  const date = Date.parse(answer.headers.get('date') ?? '')
  if (!Number.isNaN(date)) {
    // The header counts whole seconds: a smaller difference is its rounding, not a wrong clock.
    if (Math.abs(date - Date.now()) > 2000) skew.value = date - Date.now()
    heard.value = Date.now() + skew.value
  }
  const text = await answer.text()
  const body: unknown = text ? parse(text) : null
  if (!answer.ok) {
    if (answer.status === 401 && path !== '/api/v1/session') onSignedOut.call()
    const told = (body ?? {}) as Partial<Problem>
    const ref = answer.headers.get('x-request-id') ?? told.ref
    throw new RequestFailed({ title: answer.statusText, ...told, status: answer.status, ...(ref ? { ref } : {}) })
  }
  return body as T
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** `?a=1&b=2` of what is given; nothing for what is not. */
export function query(parameters: Record<string, string | number | null | undefined>): string {
  const given = Object.entries(parameters).filter(([, v]) => v !== null && v !== undefined && v !== '')
  return given.length ? `?${new URLSearchParams(given.map(([k, v]) => [k, String(v)]))}` : ''
}

export const list = <T>(path: string, parameters: Record<string, string | number | null | undefined> = {}) =>
  request<Page<T>>(path + query(parameters))

/** The events of a call or a ticket, oldest first, in one shape whatever a server calls the name of the event. */
export async function events(path: string): Promise<CallEvent[]> {
  const answer = await request<Page<Record<string, unknown>> | Record<string, unknown>[]>(path)
  const items = Array.isArray(answer) ? answer : (answer.items ?? [])
  return items.map(shape).sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
}

export function shape(raw: Record<string, unknown>): CallEvent {
  const { at, kind, event, type, data, ...rest } = raw
  const inner = data && typeof data === 'object' && !Array.isArray(data) ? (data as Record<string, unknown>) : rest
  return { at: String(at ?? ''), kind: String(kind ?? event ?? type ?? ''), data: inner }
}
