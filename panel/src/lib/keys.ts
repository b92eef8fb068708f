// J, K: next and previous of a list; a letter only counts outside fields, by its physical key, and not while an IME composes.
import { onBeforeUnmount, onMounted } from 'vue'

export function useListKeys(move: (by: 1 | -1) => void, search: () => void) {
  const pressed = (e: KeyboardEvent) => {
    const at = e.target as HTMLElement | null
    if (e.isComposing || e.ctrlKey || e.metaKey || e.altKey || at?.closest('input, textarea, select, audio')) return
    if (e.code === 'KeyJ') move(1)
    else if (e.code === 'KeyK') move(-1)
    else if (e.code === 'Slash' && !e.shiftKey) {
      e.preventDefault()
      search()
    }
  }
  onMounted(() => window.addEventListener('keydown', pressed))
  onBeforeUnmount(() => window.removeEventListener('keydown', pressed))
}
