// What the knowledge pages work out by themselves. Pure.

/** Seconds it takes to say a text: four and a half characters a second, as prompts are spoken. */
export const spoken = (text: string): number => Math.max(1, Math.round([...text].length / 4.5))

/** Who may begin an entry, publish, see what was reported: the server decides, this only hides doors. */
export const writes = (roles: readonly string[]) => roles.includes('kb')
export const publishes = (roles: readonly string[]) => roles.includes('office')
export const keeps = (roles: readonly string[]) =>
  ['kb', 'unit', 'unit_head', 'office'].some((role) => roles.includes(role))
export const seesGaps = (roles: readonly string[]) =>
  ['kb', 'office', 'lead', 'analyst'].some((role) => roles.includes(role))

export type KbTab = 'entries' | 'corrections' | 'notices' | 'units' | 'gaps'
export function kbTabs(roles: readonly string[]): KbTab[] {
  const tabs: KbTab[] = ['entries']
  if (keeps(roles)) tabs.push('corrections', 'notices', 'units')
  if (seesGaps(roles)) tabs.push('gaps')
  return tabs
}

/** Steps that are asked for with a reason. */
export const REASONED = ['return', 'retire', 'doubt', 'conflict', 'settle']

/** A search that ended without an answer; pieces of what went on being typed are none. */
export function unanswered(typed: string, used: boolean): string | null {
  const q = typed.trim()
  return !used && [...q].length > 1 ? q : null
}

/** Lines of a field, without empty ones. */
export const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
