import { describe, expect, it } from 'vitest'
import { longestStated } from './wall'

describe('the wall', () => {
  it('states the longest wait that callers are told, and none where none is told', () => {
    const told = [{ stated_wait_ms: 60_000 }, { stated_wait_ms: null }, { stated_wait_ms: 120_000 }, {}]
    expect(longestStated(told)).toBe(120_000)
    expect(longestStated([{ stated_wait_ms: null }, {}])).toBeNull()
    expect(longestStated([])).toBeNull()
  })
})
