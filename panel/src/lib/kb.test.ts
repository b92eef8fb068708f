import { describe, expect, it } from 'vitest'
import { kbTabs, lines, spoken, unanswered } from './kb'

describe('knowledge', () => {
  it('tells how long an answer takes to say', () => {
    expect(spoken('字'.repeat(200))).toBe(44)
    expect(spoken('')).toBe(1)
  })
  it.each([
    [['agent'], ['entries']],
    [['lead'], ['entries', 'gaps']],
    [['kb'], ['entries', 'corrections', 'notices', 'units', 'gaps']],
    [['unit_head'], ['entries', 'corrections', 'notices', 'units']],
  ])('%j has %j', (roles, tabs) => expect(kbTabs(roles)).toEqual(tabs))
  it('counts a search in vain once it was one', () => {
    expect(unanswered(' 停车 ', false)).toBe('停车')
    expect(unanswered('停车', true)).toBe(null)
    expect(unanswered('停', false)).toBe(null)
  })
  it('reads questions line by line', () => expect(lines(' a \n\nb\n')).toEqual(['a', 'b']))
})
