import { describe, expect, it } from 'vitest'
import cityEn from './city.en.json'
import cityZh from './city.zh-CN.json'
import deskEn from './desks.en.json'
import deskZh from './desks.zh-CN.json'
import en from './en.json'
import kbEn from './kb.en.json'
import kbZh from './kb.zh-CN.json'
import linkEn from './linking.en.json'
import linkZh from './linking.zh-CN.json'
import outboxEn from './outbox.en.json'
import outboxZh from './outbox.zh-CN.json'
import zh from './zh-CN.json'

const keys = (tree: object, path = ''): string[] =>
  Object.entries(tree).flatMap(([k, v]) => (typeof v === 'object' ? keys(v, `${path}${k}.`) : [path + k]))

const components = import.meta.glob<string>('../**/*.vue', { query: '?raw', import: 'default', eager: true })

describe('words', () => {
  it.each([
    ['shell', zh, en],
    ['desks', deskZh, deskEn],
    ['knowledge', kbZh, kbEn],
    ['linking', linkZh, linkEn],
    ['outbox', outboxZh, outboxEn],
    ['city', cityZh, cityEn],
  ])('has every text of the %s in both languages, with the same places for values', (_, zh, en) => {
    expect(keys(en)).toEqual(keys(zh))
    const texts = (tree: object): string[] =>
      Object.values(tree).flatMap((v) => (typeof v === 'object' ? texts(v) : [v]))
    const places = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort().join()
    const [a, b] = [texts(zh), texts(en)]
    a.forEach((text, n) => expect(places(b[n] ?? ''), text).toBe(places(text)))
  })
  it('adds words of the desks beside the others, over none of them', () => {
    expect(keys(deskZh).filter((key) => keys(zh).includes(key))).toEqual([])
  })
  it('keeps Chinese out of components, so that nothing stays untranslated', () => {
    expect(Object.keys(components).length).toBeGreaterThan(5)
    const found = Object.entries(components).filter(([, text]) => /[\u4e00-\u9fff]/.test(text))
    expect(found.map(([file]) => file)).toEqual([])
  })
})
