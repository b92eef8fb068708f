import { describe, expect, it } from 'vitest'
import en from '../i18n/city.en.json'
import zh from '../i18n/city.zh-CN.json'
import { type CityLine, saidBy } from './city'

const line = (more: Partial<CityLine>): CityLine => ({
  id: 'x',
  direction: 'in',
  kind: 'visit',
  at: '',
  ...more,
})

describe('the exchange with the city', () => {
  it('says what there is, and a no as a no', () => {
    expect(saidBy(line({ kind: 'decision', granted: false }))).toEqual(['refused'])
    expect(saidBy(line({ contacted: true, solved: 'no', satisfied: 'not' }))).toEqual([
      'contacted',
      'no',
      'not',
    ])
    expect(saidBy(line({ kind: 'points', points: -2 }))).toEqual([])
  })
  it('has words for all of it', () => {
    for (const words of [zh, en]) {
      const says = words.citySays as Record<string, string>
      for (const granted of [true, false])
        for (const key of saidBy(
          line({ granted, contacted: granted, solved: 'partial', satisfied: 'basic' }),
        ))
          expect(says[key], key).toBeTruthy()
    }
  })
})
