// Who is signed in. The cookie is the truth; this only remembers the answer, so that pages needn't ask each time.
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { request, RequestFailed } from '../api/http'

export interface User {
  username: string
  name?: string | null
  role?: string | null
  roles?: string[]
  /** Whose people he is of; only the units' have one. */
  unit?: string | null
}

export const useSession = defineStore('session', () => {
  const user = ref<User | null>(null)
  const roles = computed(() => user.value?.roles ?? (user.value?.role ? [user.value.role] : []))

  const unit = computed(() => user.value?.unit ?? '')

  function forget() {
    user.value = null
    sessionStorage.removeItem('user')
  }

  function remember(found: User) {
    user.value = found
    sessionStorage.setItem('user', JSON.stringify(found))
  }

  /** Is somebody signed in? Asks the server once after a reload. */
  async function known(): Promise<boolean> {
    if (user.value) return true
    try {
      remember(userOf(await request<unknown>('/api/v1/session'), kept()))
      return true
    } catch (e) {
      // No connection: what was known stays shown, the lists say that they wait.
      if (e instanceof RequestFailed && e.status !== 401 && kept()) {
        user.value = kept()
        return true
      }
      return false
    }
  }

  async function signIn(username: string, password: string) {
    const answer = await request<unknown>('/api/v1/session', {
      method: 'POST',
      body: JSON.stringify({ username, password }),
    })
    remember(userOf(answer, { username }))
  }

  async function signOut() {
    try {
      await request('/api/v1/session', { method: 'DELETE' })
    } finally {
      forget()
    }
  }

  return { user, roles, unit, known, signIn, signOut, forget }
})

function kept(): User | null {
  try {
    return JSON.parse(sessionStorage.getItem('user') ?? 'null') as User | null
  } catch {
    return null
  }
}

/** The user in an answer: below `user`, or the answer itself. */
export function userOf(answer: unknown, otherwise: User | null): User {
  const outer = (answer ?? {}) as Record<string, unknown>
  const inner = (outer.user && typeof outer.user === 'object' ? outer.user : outer) as Partial<User> & {
    roles?: string[]
    display?: string
  }
  return {
    username: inner.username ?? otherwise?.username ?? '',
    name: inner.name ?? inner.display ?? otherwise?.name ?? null,
    role: inner.role ?? inner.roles?.[0] ?? otherwise?.role ?? null,
    unit: inner.unit ?? otherwise?.unit ?? null,
    roles: inner.roles ?? (inner.role ? [inner.role] : (otherwise?.roles ?? [])),
  }
}
