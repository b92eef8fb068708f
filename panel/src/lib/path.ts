// The way a caller came, in words: a flow's own steps by name, its branches not at all.
import { word } from '../i18n'

/** Names of the shipped flows' branches, which nobody hears. */
const SILENT = /^is_/

export const wayOf = (path: readonly string[]): string =>
  path
    .filter((step) => !SILENT.test(step))
    .map((step) => word('step', step))
    .join(' → ')

const MONTH_MS = 30 * 86_400_000

/** Of the caller's last tickets, how many are no older than thirty days. */
export const lately = (items: readonly { created_at: string }[], now: number): number =>
  items.filter((one) => now - Date.parse(one.created_at) <= MONTH_MS).length

const OVER = new Set(['closed', 'visited', 'void', 'draft', 'missed'])
/** The newest of them that somebody still works on. */
export const stillOpen = <T extends { state: string }>(items: readonly T[]): T | undefined =>
  items.find((one) => !OVER.has(one.state))
