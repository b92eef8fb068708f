// Whom a citizen can be passed on to now: services of one key and the units' duty numbers. Pure but for the last part.
import { ref } from 'vue'
import { request } from '../api/http'
import { district } from './district'

export interface TargetService {
  key: string
  name_zh: string
  name_en: string
  number: string
  emergency: boolean
  dialable: boolean
}
export interface TargetNumber {
  label: string
  number: string
  rank: number
  dialable: boolean
}
export interface TransferTargets {
  at: string
  day: string
  services: TargetService[]
  duty: { unit: string; numbers: TargetNumber[] }[]
}

/** The state's codes, matched whole. */
const EMERGENCY = ['110', '119', '120', '122']
export const isEmergency = (number: string) => EMERGENCY.includes(number)

/** One line of the list: what is said, what is dialled, and its digit where it has one. */
export interface Line {
  id: string
  name: string
  number: string
  digit: string | null
  emergency: boolean
  dialable: boolean
  /** The next to be asked when nobody answers. */
  backups: TargetNumber[]
}

export function serviceLines(targets: TransferTargets | null, english: boolean): Line[] {
  return (targets?.services ?? []).map((s, n) => ({
    id: s.key,
    name: english ? s.name_en : s.name_zh,
    number: s.number,
    digit: n < 9 ? String(n + 1) : null,
    emergency: s.emergency,
    dialable: s.dialable,
    backups: [],
  }))
}

/** Units whose name, code or duty desk has the words in it; those with nobody there last, without a number. */
export function dutyLines(targets: TransferTargets | null, needle: string, most = 6): Line[] {
  const wanted = needle.trim().toLowerCase()
  const lines = (targets?.duty ?? []).map(({ unit, numbers }): Line => {
    const [first, ...backups] = numbers
    return {
      id: unit,
      name: [district('unit', unit), first?.label].filter(Boolean).join(' · '),
      number: first?.number ?? '',
      digit: null,
      emergency: false,
      dialable: first?.dialable ?? false,
      backups,
    }
  })
  return lines
    .filter((line) => `${line.id} ${line.name} ${line.number}`.toLowerCase().includes(wanted))
    .sort((a, b) => Number(a.number === '') - Number(b.number === ''))
    .slice(0, most)
}

/** What the key for the police dials: the table's number, which in practice is not the real one. */
export const policeNumber = (targets: TransferTargets | null): string =>
  targets?.services.find((s) => s.key === '110')?.number ?? '110'

/** Passing on to these goes by a spoken hand-over: a blind transfer becomes a consultation. */
export function spoken(kind: 'consult' | 'transfer' | 'conference', number: string, listed: boolean) {
  return kind === 'transfer' && (listed || isEmergency(number)) ? 'consult' : kind
}

/** As the server told them last; asked for again when the telephone starts and when the list is opened. */
export const targets = ref<TransferTargets | null>(null)
export async function loadTargets(): Promise<void> {
  try {
    targets.value = await request<TransferTargets>('/api/v1/transfer-targets')
  } catch {
    // The last list stands; without any, the codes are still known.
  }
}
