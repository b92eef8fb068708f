// Which pages a role has. What a role may do is the server's to say; this only keeps doors that lead nowhere out of sight.

export type PageName = 'work' | 'wall' | 'people' | 'calls' | 'tickets' | 'callbacks'

/** Beside these, everybody has calls and tickets. */
const PAGES: Record<string, PageName[]> = {
  agent: ['work', 'people', 'callbacks'],
  lead: ['wall', 'work', 'people', 'callbacks'],
  visitor: ['callbacks'],
  office: ['callbacks'],
}

export function pagesOf(roles: readonly string[]): PageName[] {
  const own = roles.flatMap((role) => PAGES[role] ?? [])
  const order: PageName[] = ['work', 'wall', 'calls', 'tickets', 'callbacks', 'people']
  return order.filter((page) => page === 'calls' || page === 'tickets' || own.includes(page))
}

/** Where one begins after sign-in. */
export function landing(roles: readonly string[]): PageName {
  return roles.includes('lead') ? 'wall' : roles.includes('agent') ? 'work' : 'calls'
}

/** Whose bar is a telephone. */
export const hasPhone = (roles: readonly string[]) => roles.includes('agent') || roles.includes('lead')

export const leads = (roles: readonly string[]) => roles.includes('lead')
