import { createI18n } from 'vue-i18n'
import zh from './zh-CN.json'

export type Language = 'zh-CN' | 'en'

const kept = localStorage.getItem('language')
export const i18n = createI18n<[typeof zh], Language, false>({
  legacy: false,
  locale: 'zh-CN',
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': zh } as { [L in Language]: typeof zh },
  missingWarn: false,
  fallbackWarn: false,
})
document.documentElement.lang = i18n.global.locale.value

/** Words of the desks that move tickets: who never opens one loads none. */
const DESKS = {
  'zh-CN': () => import('./desks.zh-CN.json'),
  en: () => import('./desks.en.json'),
}
let desks = false
const known = new Set<Language>()
async function addDesks(language: Language) {
  if (known.has(language)) return
  const words = (await DESKS[language]()).default
  known.add(language)
  i18n.global.mergeLocaleMessage(language, words)
}
/** Loads them, and with every language chosen later. */
export async function withDesks() {
  desks = true
  await addDesks('zh-CN')
  if (i18n.global.locale.value === 'en') await addDesks('en')
}

/** Words that come with the pages that say them; kept for a language that is loaded later. */
const more: { [L in Language]: object }[] = []
const merge = (language: Language, words: object) =>
  i18n.global.mergeLocaleMessage(language, words as typeof zh)
export function alsoSays(words: { [L in Language]: object }) {
  more.push(words)
  merge('zh-CN', words['zh-CN'])
  if (i18n.global.availableLocales.includes('en')) merge('en', words.en)
}

/** English is loaded by those who read it. */
export async function speak(language: Language) {
  if (language === 'en' && !i18n.global.availableLocales.includes('en')) {
    i18n.global.setLocaleMessage('en', (await import('./en.json')).default)
    for (const words of more) merge('en', words.en)
  }
  if (desks) await addDesks(language)
  i18n.global.locale.value = language
  localStorage.setItem('language', language)
  document.documentElement.lang = language
}

/** The language chosen here before; a line that breaks meanwhile leaves the first one. */
export async function speakAsBefore() {
  if (kept === 'en') await speak('en').catch(() => {})
}

/** The word for a code of the wire, or the code itself when the server knows one we don't. */
export function word(group: string, code: string | null | undefined): string {
  if (!code) return ''
  const key = `${group}.${code}`
  return i18n.global.te(key) || i18n.global.te(key, 'zh-CN') ? i18n.global.t(key) : code
}
