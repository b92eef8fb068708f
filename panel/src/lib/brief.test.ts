import { describe, expect, it } from 'vitest'
import names from '../i18n/district.json'
import { briefOf, likelyTags, unitOfStreet } from './brief'

const WORDS =
  '我住白纸坊建功南里3号楼2单元，昨天供暖了，屋里才15度。我姓刘，电话12000000001。我78了，冷得很，快让人上门。'

describe('what the unit reads', () => {
  it('is told of a third person, without name, age and number', () => {
    const brief = briefOf(WORDS, true)
    expect(brief).toBe(
      '市民反映：家住白纸坊建功南里3号楼2单元，昨天供暖了，屋里才15度。电话（略）。冷得很，快让人上门。',
    )
  })
  it('has no door of who asked for secrecy', () => {
    const brief = briefOf(WORDS, false)
    expect(brief).not.toMatch(/号楼|单元/u)
    expect(brief).toContain('建功南里')
  })
  it('keeps short public numbers and figures, and is nothing when nothing is left', () => {
    expect(briefOf('热力电话96069打不通，停了36小时', true)).toContain('96069打不通，停了36小时')
    expect(briefOf('喂，你好，我姓王。', true)).toBe('')
    expect(briefOf('  ', true)).toBe('')
    expect(briefOf('身份证110102194801011234', true)).not.toMatch(/\d/u)
  })
  it('ends a sentence whose last clause was left out', () => {
    expect(briefOf('暖气不热，我78了。请上门', true)).toBe('市民反映：暖气不热。请上门')
  })
})

describe('tags and the assisting unit', () => {
  it('follow what is said', () => {
    expect(likelyTags(WORDS)).toEqual(['供暖季', '老年人'])
    expect(likelyTags('夜里施工，打过几次电话了')).toEqual(['夜间', '重复诉求'])
    expect(likelyTags('我15了')).toEqual([])
  })
  it('is one of the district for every street', () => {
    for (const street of Object.keys(names.street)) expect(unitOfStreet(street), street).toMatch(/^st\d{3}$/)
    expect([unitOfStreet(''), unitOfStreet('110102099')]).toEqual(['', ''])
  })
})
