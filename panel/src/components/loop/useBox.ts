// The tickets of one box of a desk and the counts of all: asked for anew every ten seconds, at once when something was done.
import { useInfiniteQuery, useQuery } from '@tanstack/vue-query'
import { computed, ref, watch, type Ref } from 'vue'
import { boxes as boxesQuery, byDue } from '../../api/queries'
import type { Ticket } from '../../api/types'
import type { BoxOf } from '../../lib/loop'
import { now } from '../../lib/now'

/** Boxes that only the tickets themselves can tell apart look so many pages far. */
const LOOK = 5

export function useBox(all: readonly BoxOf[], name: Ref<string>) {
  const shown = ref(true)
  const box = computed(() => all.find((one) => one.name === name.value) ?? all[0])
  const states = computed(() => [...(box.value?.states ?? [])])
  const counts = useQuery(boxesQuery(shown))
  const found = useInfiniteQuery(byDue(states, shown))
  /** A second's tick moves a ticket over a deadline, not the whole list each time. */
  const minute = computed(() => Math.floor(now.value / 10_000) * 10_000)
  const items = computed<Ticket[]>(() => {
    const only = box.value?.only
    const every = (found.data.value?.pages ?? []).flatMap((page) => page.items)
    return only ? every.filter((one) => only(one, minute.value)) : every
  })
  watch([items, found.isFetchingNextPage], () => {
    if (
      box.value?.only &&
      items.value.length < 20 &&
      (found.data.value?.pages.length ?? 0) < LOOK &&
      found.hasNextPage.value &&
      !found.isFetchingNextPage.value
    )
      void found.fetchNextPage()
  })
  const sum = (of: BoxOf, what: 'count' | 'late' | 'soon') =>
    (counts.data.value ?? [])
      .filter((one) => of.states.includes(one.state))
      .reduce((total, one) => total + one[what], 0)
  /** A box that is a part of its states is counted by its list alone, while it is open. */
  const tabs = computed(() =>
    all.map((one) => {
      const part = one.only !== undefined
      const open = one.name === box.value?.name && !found.isLoading.value
      const late = one.name === 'late' || one.name === 'soon'
      return {
        name: one.name,
        count: part
          ? late
            ? sum(one, 'late') + (one.name === 'soon' ? sum(one, 'soon') : 0)
            : open
              ? items.value.length
              : null
          : sum(one, 'count'),
        late: part && !late ? 0 : sum(one, 'late'),
        soon: part ? 0 : sum(one, 'soon'),
      }
    }),
  )
  return { box, found, items, tabs }
}

/** Which of the list is open: it stays while it is there, else its neighbour is next. */
export function useChosen(items: Ref<Ticket[]>) {
  const chosen = ref('')
  const name = (one: Ticket) => one.no ?? one.id
  let at = 0
  watch(
    items,
    (list) => {
      const still = list.findIndex((one) => name(one) === chosen.value)
      if (still >= 0) at = still
      else {
        const next = list[Math.min(at, list.length - 1)]
        chosen.value = next ? name(next) : ''
      }
    },
    { immediate: true },
  )
  function move(by: 1 | -1) {
    const list = items.value
    const was = list.findIndex((one) => name(one) === chosen.value)
    const next = list[was < 0 ? 0 : Math.min(list.length - 1, Math.max(0, was + by))]
    if (next) chosen.value = name(next)
    requestAnimationFrame(() => document.querySelector('[data-chosen]')?.scrollIntoView({ block: 'nearest' }))
  }
  return { chosen, name, move }
}
