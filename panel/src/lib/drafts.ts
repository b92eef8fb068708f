// What an agent writes during a call, kept on this device: a reload or a lost line takes no word. By the draft ticket's id.

export interface Draft {
  type: string
  content: string
  /** What the unit reads instead of the caller's words. */
  brief: string
  category: string
  street: string
  lead: string
  /** The unit that assists. */
  assist: string
  tags: string[]
  address: string
  name: string
  number: string
  secrecy: string
  /** What kind of caller needs another way: `suicide silent emergency …`, empty for most. */
  special: string
  /** `any text_only no_message`, empty: not asked. */
  notify: string
  /** When he may be called, `09:00-11:30`. */
  safe_time: string
  /** Whom he complains about: a unit, a user's name. They never see it. */
  complained_unit: string
  complained_person: string
  /** What the caller said yes to of the four questions that make a matter urgent. */
  asks: string[]
  /** Fields a hand has touched: no suggestion changes them any more. */
  touched: string[]
}

export const EMPTY: Draft = {
  type: '',
  content: '',
  brief: '',
  category: '',
  street: '',
  lead: '',
  assist: '',
  tags: [],
  address: '',
  name: '',
  number: '',
  secrecy: '',
  special: '',
  notify: '',
  safe_time: '',
  complained_unit: '',
  complained_person: '',
  asks: [],
  touched: [],
}

const STORE = 'drafts'
/** Older ones are removed: they are the caller's words, not to lie about. */
const KEPT_MS = 7 * 86_400_000

interface Row {
  id: string
  user: string
  at: number
  draft: Draft
}

let opened: Promise<IDBDatabase> | null = null
function open(): Promise<IDBDatabase> {
  opened ??= new Promise((done, fail) => {
    const asked = indexedDB.open('hotline', 1)
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: 'id' })
    asked.onsuccess = () => done(asked.result)
    asked.onerror = () => fail(asked.error ?? new Error('no database'))
  })
  opened.catch(() => (opened = null))
  return opened
}

const ended = <T>(asked: IDBRequest<T>) =>
  new Promise<T>((done, fail) => {
    asked.onsuccess = () => done(asked.result)
    asked.onerror = () => fail(asked.error ?? new Error('not kept'))
  })

export async function keepDraft(id: string, user: string, draft: Draft): Promise<void> {
  const store = (await open()).transaction(STORE, 'readwrite').objectStore(STORE)
  await ended(
    store.put({
      id,
      user,
      at: Date.now(),
      draft: { ...draft, touched: [...draft.touched], asks: [...draft.asks], tags: [...draft.tags] },
    } satisfies Row),
  )
}

/** Only to the one who wrote it. */
export async function keptDraft(id: string, user: string): Promise<Draft | null> {
  const store = (await open()).transaction(STORE, 'readonly').objectStore(STORE)
  const row = (await ended(store.get(id))) as Row | undefined
  return row && row.user === user ? { ...EMPTY, ...row.draft } : null
}

/** Saved at the server: nothing of it stays here. */
export async function dropDraft(id: string): Promise<void> {
  const store = (await open()).transaction(STORE, 'readwrite').objectStore(STORE)
  await ended(store.delete(id))
}

export async function forgetOld(now = Date.now()): Promise<void> {
  const store = (await open()).transaction(STORE, 'readwrite').objectStore(STORE)
  for (const row of (await ended(store.getAll())) as Row[]) if (now - row.at > KEPT_MS) store.delete(row.id)
}
