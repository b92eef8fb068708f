// Ten seconds in which a deed can be taken back: it is sent when they are over, or when the page goes away.
import { computed, onBeforeUnmount, shallowRef } from 'vue'
import { now } from '../../lib/now'

export const UNDO_MS = 10_000

interface Waiting<T> {
  what: T
  at: number
}

export function useUndo<T>(send: (what: T) => Promise<unknown>) {
  const waiting = shallowRef<Waiting<T> | null>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  const left = computed(() =>
    waiting.value ? Math.max(0, Math.ceil((waiting.value.at - now.value) / 1000)) : 0,
  )
  async function flush() {
    clearTimeout(timer)
    const one = waiting.value
    waiting.value = null
    if (one) await send(one.what)
  }
  /** One at a time: the next sends the one before. */
  async function later(what: T) {
    await flush()
    waiting.value = { what, at: now.value + UNDO_MS }
    timer = setTimeout(() => void flush(), UNDO_MS)
  }
  function takeBack(): T | null {
    clearTimeout(timer)
    const one = waiting.value
    waiting.value = null
    return one?.what ?? null
  }
  const leave = () => void flush()
  window.addEventListener('pagehide', leave)
  onBeforeUnmount(() => {
    window.removeEventListener('pagehide', leave)
    void flush()
  })
  return { waiting, left, later, takeBack }
}
