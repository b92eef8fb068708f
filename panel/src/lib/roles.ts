// Which pages a role has. What a role may do is the server's to say; this only keeps doors that lead nowhere out of sight.

export type PageName =
  'work' | 'wall' | 'people' | 'roster' | 'calls' | 'tickets' | 'callbacks' | 'kb' | 'admin'

/** Beside these, everybody has calls and tickets. */
const PAGES: Record<string, PageName[]> = {
  agent: ['work', 'kb', 'people', 'callbacks', 'roster'],
  // A lead dials the duty numbers once a month.
  lead: ['wall', 'work', 'kb', 'people', 'callbacks', 'roster', 'admin'],
  dispatcher: ['kb'],
  unit: ['kb'],
  unit_head: ['kb'],
  kb: ['kb'],
  qa: ['kb'],
  auditor: ['kb'],
  visitor: ['kb', 'callbacks', 'roster'],
  office: ['kb', 'callbacks', 'roster'],
  admin: ['admin'],
}

export function pagesOf(roles: readonly string[]): PageName[] {
  const own = roles.flatMap((role) => PAGES[role] ?? [])
  const order: PageName[] = [
    'work',
    'wall',
    'calls',
    'tickets',
    'kb',
    'callbacks',
    'people',
    'roster',
    'admin',
  ]
  return order.filter((page) => page === 'calls' || page === 'tickets' || own.includes(page))
}

/** Where one begins after sign-in. */
export function landing(roles: readonly string[]): PageName {
  if (roles.includes('admin') && !roles.includes('lead') && !roles.includes('agent')) return 'admin'
  if (roles.length > 0 && roles.every((role) => role === 'kb')) return 'kb'
  return roles.includes('lead') ? 'wall' : roles.includes('agent') ? 'work' : 'calls'
}

/** Whose bar is a telephone. */
export const hasPhone = (roles: readonly string[]) => roles.includes('agent') || roles.includes('lead')

export const leads = (roles: readonly string[]) => roles.includes('lead')
