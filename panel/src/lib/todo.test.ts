import { describe, expect, it } from 'vitest'
import type { Call, Callback, Ticket } from '../api/types'
import { todos } from './todo'

const at = (minute: number) => `2026-11-26T09:${String(minute).padStart(2, '0')}:00+08:00`
const callback = (over: Partial<Callback>) =>
  ({ call: 'c-1', number: '1', over_at: null, next_at: null, entered_at: at(5), ...over }) as Callback
const draft = (id: string, call: string, minute: number, state = 'draft') =>
  ({
    id,
    no: null,
    state,
    title: null,
    caller: null,
    calls: [call],
    created_at: at(minute),
  }) as unknown as Ticket
const call = (id: string) => ({ id }) as Call

describe('what waits for an agent', () => {
  it('is the callbacks that are open, messages nobody finished, and drafts of his own calls, oldest first', () => {
    const list = todos(
      [callback({}), callback({ call: 'c-2', over_at: at(6) }), callback({ call: 'c-3', next_at: at(20) })],
      [call('m-1'), call('m-2')],
      [
        draft('t-1', 'm-1', 3),
        draft('t-2', 'mine', 9),
        draft('t-3', 'other', 1),
        draft('t-4', 'm-2', 1, 'accepted'),
      ],
      [call('mine')],
    )
    expect(list.map((one) => [one.kind, one.key])).toEqual([
      ['message', 'tt-1'],
      ['callback', 'cc-1'],
      ['draft', 'tt-2'],
      ['callback', 'cc-3'],
    ])
  })
})
