// Which pages a role has. What a role may do is the server's to say; this only keeps doors that lead nowhere out of sight.

export type PageName =
  | 'work'
  | 'wall'
  | 'dispatch'
  | 'unit'
  | 'visits'
  | 'office'
  | 'people'
  | 'roster'
  | 'calls'
  | 'tickets'
  | 'rates'
  | 'callbacks'
  | 'paper'
  | 'kb'
  | 'admin'

/** Beside these, everybody has tickets, and calls but for the units' people. */
const PAGES: Record<string, PageName[]> = {
  agent: ['work', 'kb', 'people', 'callbacks', 'paper', 'roster'],
  // A lead dials the duty numbers once a month.
  lead: ['wall', 'work', 'dispatch', 'rates', 'kb', 'people', 'callbacks', 'paper', 'roster', 'admin'],
  dispatcher: ['dispatch', 'rates', 'kb'],
  unit: ['unit', 'rates', 'kb'],
  unit_head: ['unit', 'rates', 'kb'],
  kb: ['kb'],
  qa: ['rates', 'kb'],
  auditor: ['kb'],
  visitor: ['visits', 'rates', 'kb', 'callbacks', 'roster'],
  // The office plans the sessions of heads of departments.
  office: ['office', 'dispatch', 'visits', 'rates', 'kb', 'callbacks', 'roster', 'admin'],
  leader: ['rates'],
  analyst: ['rates'],
  observer: ['rates'],
  admin: ['admin'],
}
const ORDER: PageName[] = [
  'work',
  'wall',
  'dispatch',
  'unit',
  'visits',
  'office',
  'calls',
  'tickets',
  'rates',
  'kb',
  'callbacks',
  'paper',
  'people',
  'roster',
  'admin',
]

/** Of a unit and nothing else: he sees his own tickets and nobody's calls. */
export const onlyUnit = (roles: readonly string[]) =>
  roles.length > 0 && roles.every((role) => role === 'unit' || role === 'unit_head')

export function pagesOf(roles: readonly string[]): PageName[] {
  const own = roles.flatMap((role) => PAGES[role] ?? [])
  return ORDER.filter(
    (page) => page === 'tickets' || (page === 'calls' && !onlyUnit(roles)) || own.includes(page),
  )
}

/** Where one begins after sign-in: whose work waits longest comes first. */
const FIRST: [role: string, page: PageName][] = [
  ['lead', 'wall'],
  ['agent', 'work'],
  ['admin', 'admin'],
  ['dispatcher', 'dispatch'],
  ['unit', 'unit'],
  ['unit_head', 'unit'],
  ['visitor', 'visits'],
  ['office', 'office'],
  ['kb', 'kb'],
]
export function landing(roles: readonly string[]): PageName {
  return FIRST.find(([role]) => roles.includes(role))?.[1] ?? 'calls'
}

/** Whose bar is a telephone. */
export const hasPhone = (roles: readonly string[]) => roles.includes('agent') || roles.includes('lead')

export const leads = (roles: readonly string[]) => roles.includes('lead')
/** Who may take tickets out as a file: the server's `ticket.export`. */
export const exports = (roles: readonly string[]) =>
  roles.some((role) =>
    ['lead', 'dispatcher', 'unit', 'unit_head', 'office', 'leader', 'qa', 'analyst', 'observer'].includes(
      role,
    ),
  )
/** Who fixes the numbers of a period for good: the server's `indicator.publish`. */
export const publishes = (roles: readonly string[]) => roles.includes('office')
