import { describe, expect, it } from 'vitest'
import { query, shape } from './http'

describe('requests', () => {
  it('leaves out of the query what is not given', () => {
    expect(query({ state: 'live', caller: '', next: null, limit: 50 })).toBe('?state=live&limit=50')
    expect(query({})).toBe('')
  })
  it('brings events into one shape', () => {
    expect(shape({ at: 't', event: 'call_arrived', data: { trunk: 'demo' } })).toEqual({ at: 't', kind: 'call_arrived', data: { trunk: 'demo' } })
    expect(shape({ at: 't', kind: 'digit', node: 'menu', seq: 3 })).toEqual({ at: 't', kind: 'digit', data: { node: 'menu', seq: 3 } })
  })
})
