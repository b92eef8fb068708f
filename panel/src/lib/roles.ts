// Which pages a role has. What a role may do is the server's to say; this only keeps doors that lead nowhere out of sight.

export type PageName = 'work' | 'wall' | 'people' | 'roster' | 'calls' | 'tickets' | 'callbacks' | 'admin'

/** Beside these, everybody has calls and tickets. */
const PAGES: Record<string, PageName[]> = {
  agent: ['work', 'people', 'callbacks', 'roster'],
  // A lead dials the duty numbers once a month.
  lead: ['wall', 'work', 'people', 'callbacks', 'roster', 'admin'],
  visitor: ['callbacks', 'roster'],
  // The office plans the sessions of heads of departments.
  office: ['callbacks', 'roster', 'admin'],
  admin: ['admin'],
}

export function pagesOf(roles: readonly string[]): PageName[] {
  const own = roles.flatMap((role) => PAGES[role] ?? [])
  const order: PageName[] = ['work', 'wall', 'calls', 'tickets', 'callbacks', 'people', 'roster', 'admin']
  return order.filter((page) => page === 'calls' || page === 'tickets' || own.includes(page))
}

/** Where one begins after sign-in. */
export function landing(roles: readonly string[]): PageName {
  if (roles.includes('admin') && !roles.includes('lead') && !roles.includes('agent')) return 'admin'
  return roles.includes('lead') ? 'wall' : roles.includes('agent') ? 'work' : 'calls'
}

/** Whose bar is a telephone. */
export const hasPhone = (roles: readonly string[]) => roles.includes('agent') || roles.includes('lead')

export const leads = (roles: readonly string[]) => roles.includes('lead')
