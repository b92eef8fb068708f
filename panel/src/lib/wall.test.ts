import { describe, expect, it } from 'vitest'
import { longestStated, shownQueues } from './wall'

describe('the wall', () => {
  it('states the longest wait that callers are told, and none where none is told', () => {
    const told = [{ stated_wait_ms: 60_000 }, { stated_wait_ms: null }, { stated_wait_ms: 120_000 }, {}]
    expect(longestStated(told)).toBe(120_000)
    expect(longestStated([{ stated_wait_ms: null }, {}])).toBeNull()
    expect(longestStated([])).toBeNull()
  })
  it('shows the line to the head of a department while a session is', () => {
    const line = (queue: string, staffed: number, waiting = 0) => ({ queue, staffed, waiting })
    const names = (...all: ReturnType<typeof line>[]) => shownQueues(all).map((q) => q.queue)
    expect(names(line('main', 0), line('leader', 0))).toEqual(['main'])
    expect(names(line('main', 3), line('leader', 1))).toEqual(['main', 'leader'])
    expect(names(line('leader', 0, 1))).toEqual(['leader'])
  })
})
