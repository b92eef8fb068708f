// What an alarm's note says in words: some are codes.
import { word } from '../i18n'

const GROUPS: Record<string, string[]> = {
  special: ['specials'],
  crisis_dropped: ['alarmNote', 'refused'],
  emergency_dropped: ['alarmNote', 'refused'],
  callback_given_up: ['try'],
}

export function alarmNote(kind: string, note: string): string {
  for (const group of GROUPS[kind] ?? []) {
    const said = word(group, note)
    if (said !== note) return said
  }
  return note
}
