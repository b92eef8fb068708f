// Running clocks in number: one tick writes all their texts, without a component being drawn again for a digit.
import { watch, type Directive } from 'vue'
import { clock, lasted } from './format'
import { now } from './now'

interface Since {
  since: string | null
  /** From when it is too long, ms: the element's parent tile gets the class `long`. */
  limit?: number | undefined
}
interface Running {
  from: number
  limit: number
  tile: Element | null
}

const running = new Map<HTMLElement, Running>()
let stop: (() => void) | null = null

function write(el: HTMLElement, { from, limit, tile }: Running) {
  const ms = Math.max(0, now.value - from)
  const text = clock(ms)
  if (el.textContent !== text) el.textContent = text
  tile?.classList.toggle('long', ms > limit)
}

function set(el: HTMLElement, { since, limit }: Since) {
  const one = {
    from: since ? now.value - lasted(since, null, now.value) : now.value,
    limit: limit ?? Infinity,
    tile: el.closest('.ag'),
  }
  running.set(el, one)
  write(el, one)
  stop ??= watch(now, () => running.forEach((of, one) => write(one, of)))
}

/** `v-elapsed="{ since, limit }"`: how long it has been, written every second. */
export const vElapsed: Directive<HTMLElement, Since> = {
  mounted: (el, { value }) => set(el, value),
  updated: (el, { value }) => set(el, value),
  unmounted(el) {
    running.delete(el)
    if (running.size) return
    stop?.()
    stop = null
  },
}
