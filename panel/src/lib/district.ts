// Names of the district's streets, units and categories: Chinese in every language, like the signs at their doors.
import names from '../i18n/district.json'

type Kind = keyof typeof names

/** The name behind a code, or the code itself when it is a new one. */
export function district(kind: Kind, code: string | null | undefined): string {
  return code ? ((names[kind] as Record<string, string>)[code] ?? code) : ''
}
