import { describe, expect, it } from 'vitest'

const sources = import.meta.glob('../**/*.{vue,ts}', { query: '?raw', import: 'default', eager: true })

describe('what callers send', () => {
  it('is only ever put into text: no way in the source turns it into markup or code', () => {
    const files = Object.entries(sources).filter(([name]) => !name.endsWith('.test.ts'))
    expect(files.length).toBeGreaterThan(20)
    for (const [name, text] of files) {
      expect(String(text), name).not.toMatch(
        /v-html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/,
      )
    }
  })
})
