// The list of keys is true: every key the sources bind is in it, and it has no other.
import { mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import { GO, KEYS } from '../../cti/keys'
import { i18n } from '../../i18n'
import KeyList from './KeyList.vue'

const sources = import.meta.glob(
  ['../../**/*.vue', '../../**/*.ts', '!../../**/*.test.ts', '!./KeyList.vue'],
  {
    query: '?raw',
    import: 'default',
    eager: true,
  },
)
const text = Object.values(sources).join('\n')
const page = mount(KeyList, { global: { plugins: [i18n] } })
const lines = page.findAll('kbd').map((kbd) => kbd.text())
/** `g w l` is two strokes; the others are keys beside each other. */
const listed = lines.flatMap((line) =>
  line.startsWith('g ') ? ['g'] : /^(Alt|Ctrl|⇧) /.test(line) ? [line] : line.split(' '),
)

describe('the list of keys', () => {
  it('has every key of the telephone', () => {
    const bound = [...new Set(Object.values(KEYS).map((key) => key.shown))]
    expect(bound.filter((shown) => !listed.includes(shown))).toEqual([])
  })

  it('has every letter and function key that the sources ask for', () => {
    const codes = new Set(text.match(/\b(Key[A-Z]|F\d{1,2}|Slash)\b(?=['":])/g) ?? [])
    // The letters of the telephone are made of their names.
    for (const [, letter] of text.matchAll(/letter\('([A-Z])'\)/g)) codes.add(`Key${letter}`)
    expect(codes.size).toBeGreaterThan(20)
    const shown = (code: string) => (code === 'Slash' ? '/' : code.replace('Key', ''))
    const has = (code: string) =>
      code in GO
        ? lines.some((line) => line.startsWith('g ') && line.includes(code.slice(3).toLowerCase()))
        : listed.some(
            (key) =>
              key === shown(code) || key.endsWith(` ${shown(code)}`) || key === shown(code).toLowerCase(),
          )
    expect([...codes].filter((code) => !has(code))).toEqual([])
  })

  it('has no key that nothing binds', () => {
    const bound = new Set(Object.values(KEYS).map((key) => key.shown))
    const binding = (key: string) =>
      bound.has(key) ||
      (/^[A-Zg]$/.test(key) && text.includes(`Key${key.toUpperCase()}`)) ||
      (/^F\d+$/.test(key) && text.includes(`'${key}'`)) ||
      (key === '/' && text.includes("'Slash'")) ||
      (key === '?' && text.includes("=== '?'")) ||
      (key === 'Alt 1–6' && text.includes('Digit([1-6])')) ||
      (key === 'Alt ↓' && text.includes("'ArrowDown'")) ||
      (key === 'Alt K' && /e\.altKey.*e\.code === 'KeyK'/.test(text)) ||
      (key === 'Ctrl S' && text.includes("ctrlKey && e.code === 'KeyS'")) ||
      (key === 'Esc' && text.includes("'Escape'")) ||
      (/^[←→↑↓]$/.test(key) && text.includes('Arrow'))
    expect(listed.filter((key) => !binding(key))).toEqual([])
  })
})
