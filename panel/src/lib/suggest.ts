// Which category and street a text speaks of: pairs of characters the text shares with the names. Suggestions only, never a
// decision; pure.
import categories from '../data/categories.json'
import names from '../i18n/district.json'

export interface Category {
  code: string
  path: string
  name: string
  lead: string
  urgency: string
}

export const CATEGORIES: Category[] = categories.map(([code, l1, l2, name, lead, urgency]) => ({
  code: code ?? '',
  path: `${l1} / ${l2}`,
  name: name ?? '',
  lead: lead ?? '',
  urgency: urgency ?? '',
}))

const pairs = (text: string): Set<string> => {
  const kept = text.replace(/[^\p{Script=Han}a-zA-Z0-9]/gu, '')
  return new Set(Array.from({ length: Math.max(0, kept.length - 1) }, (_, n) => kept.slice(n, n + 2)))
}
const INDEX = CATEGORIES.map((category) => ({
  category,
  own: [...pairs(category.name)],
  group: [...pairs(category.path.split(' / ')[1] ?? '')],
}))

/** So much better than the next, and nobody need choose. */
const CLEAR = 1.5

interface Likely {
  /** Best first; none when the text shares nothing with any. */
  categories: Category[]
  /** The first one stands clear of the others. */
  clear: boolean
}

export const likelyCategories = (text: string, most = 3): Category[] => likely(text, most).categories

export function likely(text: string, most = 3): Likely {
  const found = pairs(text)
  if (found.size === 0) return { categories: [], clear: false }
  const share = (of: string[]) => of.filter((pair) => found.has(pair)).length
  const ranked = INDEX.map(({ category, own, group }) => ({
    category,
    score: (share(own) * 2) / Math.sqrt(Math.max(1, own.length)) + share(group) * 0.5,
  }))
    .filter(({ score }) => score >= 0.9)
    .sort((a, b) => b.score - a.score || a.category.code.localeCompare(b.category.code))
  const [first, second] = ranked
  return {
    categories: ranked.slice(0, most).map(({ category }) => category),
    clear: first !== undefined && first.score >= CLEAR * (second?.score ?? 0),
  }
}

/** The street named in a text; the one named last, since people correct themselves. */
export function namedStreet(text: string): string | null {
  let best: [number, number, string] | null = null
  for (const [code, name] of Object.entries(names.street)) {
    const at = text.lastIndexOf(name)
    if (at >= 0 && (!best || at > best[0] || (at === best[0] && name.length > best[1])))
      best = [at, name.length, code]
  }
  return best?.[2] ?? null
}
