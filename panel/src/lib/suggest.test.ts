import { describe, expect, it } from 'vitest'
import { CATEGORIES, likelyCategories, namedStreet } from './suggest'

describe('suggestions', () => {
  it.each([
    ['昨天供暖了，屋里才15度，暖气不热', '暖气不热'],
    ['楼道里有人给电瓶车飞线充电', '楼道停放、飞线充电'],
    ['楼下餐饮油烟太大', '餐饮油烟'],
    ['闻到燃气味，疑似泄漏', '疑似燃气泄漏'],
    ['公司拖欠工资三个月', '拖欠工资'],
    ['路灯不亮两天了', '路灯不亮'],
  ])('finds what %s is about', (text, name) => {
    expect(likelyCategories(text)[0]?.name).toBe(name)
  })
  it('says nothing about what it does not know', () => {
    expect(likelyCategories('')).toEqual([])
    expect(likelyCategories('您好我想问一下')).toEqual([])
  })
  it('takes the street named last', () => {
    expect(namedStreet('我住白纸坊建功南里')).toBe('110102019')
    expect(namedStreet('不是广安门内，是广安门外')).toBe('110102020')
    expect(namedStreet('不知道')).toBeNull()
  })
  it('has every category of the catalogue once', () => {
    expect(new Set(CATEGORIES.map((c) => c.code)).size).toBe(CATEGORIES.length)
    expect(CATEGORIES.length).toBeGreaterThan(60)
  })
})
