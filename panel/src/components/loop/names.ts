// Names of units, the catalogue and codes as the desks show them; asked for once and shared.
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { leaves, units } from '../../api/queries'
import type { Leaf, Unit } from '../../api/types'
import { word } from '../../i18n'
import { district } from '../../lib/district'
import { moment } from '../../lib/format'
import type { Names } from '../../lib/history'
import { now } from '../../lib/now'
import { CATEGORIES } from '../../lib/suggest'

export function useDistrict() {
  const known = useQuery(units())
  const catalogue = useQuery(leaves())
  const byKey = computed(() => new Map((known.data.value ?? []).map((u) => [u.key, u])))
  const unit = (key: string | null | undefined): string =>
    key ? (byKey.value.get(key)?.short ?? district('unit', key)) : ''
  const fullName = (key: string): string => byKey.value.get(key)?.name ?? ''
  const unitOf = (key: string | null | undefined): Unit | undefined => byKey.value.get(key ?? '')
  /** Those of the first level: the others do not answer for a clock. */
  const leading = computed(() =>
    (known.data.value ?? [])
      .filter((u) => !u.parent && (u.level ?? 1) <= 1)
      .map((u) => ({ code: u.key, name: u.short ?? u.name, more: u.key })),
  )
  const everyUnit = computed(() =>
    (known.data.value ?? []).map((u) => ({ code: u.key, name: u.short ?? u.name, more: u.key })),
  )
  const below = (parent: string) =>
    (known.data.value ?? [])
      .filter((u) => u.parent === parent)
      .map((u) => ({ code: u.key, name: u.short ?? u.name, more: u.key }))
  const leaf = (code: string | null | undefined): Leaf | undefined =>
    catalogue.data.value?.find((one) => one.code === code) ?? local(code)
  const names: Names = {
    unit: (code) => unit(code),
    word: (group, code) => word(group, code),
    when: (at) => moment(at, now.value),
  }
  return { unit, fullName, unitOf, leading, everyUnit, below, leaf, names }
}

/** The panel's own copy, while the server's catalogue is not there. */
function local(code: string | null | undefined): Leaf | undefined {
  const own = CATEGORIES.find((one) => one.code === code)
  return own && { code: own.code, lead: own.lead, assist: [], urgency: own.urgency }
}
