import { describe, expect, it } from 'vitest'
import { RequestFailed, type request } from '../api/http'
import type { Problem, Ticket } from '../api/types'
import { EMPTY, type Draft } from './drafts'
import { changeOf, finish, titleOf } from './finish'

const draft: Draft = {
  ...EMPTY,
  type: 'help',
  content: '建功南里室温只有十五度。家里有老人，请尽快来看。',
  category: '030101',
  street: '110102019',
  lead: 'rl',
  name: '王女士',
  number: '12000000001',
  secrecy: 'normal',
}

const ticket = (over: Partial<Ticket> = {}): Ticket => ({
  id: 't-1',
  no: '261123000018',
  state: 'draft',
  channel: 'phone',
  type: null,
  category: null,
  street: null,
  lead: null,
  urgency: null,
  title: null,
  content: null,
  caller: '12000000001',
  secrecy: 'normal',
  calls: ['c-1'],
  created_at: '2026-11-23T09:30:00+08:00',
  accepted_at: null,
  due_at: null,
  closed_at: null,
  version: 2,
  ...over,
})

/** A server with one ticket: takes a change of its version, `meanwhile` happens before each of the first ones. */
function server(start: Ticket, meanwhile: ((t: Ticket) => Ticket)[] = [], refuse?: Problem) {
  let now = start
  const bodies: Record<string, unknown>[] = []
  const ask = (async (path: string, init?: RequestInit) => {
    expect(path).toBe('/api/v1/tickets/c-1')
    if (init?.method !== 'PATCH') return { ...now }
    now = meanwhile.shift()?.(now) ?? now
    const body = JSON.parse(String(init.body)) as Record<string, unknown>
    bodies.push(body)
    if (refuse) throw new RequestFailed(refuse)
    if (body.version !== now.version)
      throw new RequestFailed({ status: 409, code: 'changed', title: 'changed' })
    const { contact: _, reason: __, ...fields } = body
    now = { ...now, ...fields, version: now.version + 2 } as Ticket
    return { ...now }
  }) as typeof request
  return { ask, bodies }
}

describe('a draft that is finished', () => {
  it('is titled by its first sentence', () => {
    expect(titleOf(draft.content)).toBe('建功南里室温只有十五度')
    expect(titleOf('  ')).toBe('')
    expect([...titleOf('长'.repeat(100))]).toHaveLength(40)
  })
  it('sends everything the form has, and no name of somebody who gives none', () => {
    const change = changeOf(draft, 'accepted')
    expect(change).toMatchObject({ state: 'accepted', category: '030101', contact: { name: '王女士' } })
    expect('reason' in change).toBe(false)
    expect(changeOf({ ...draft, secrecy: 'anonymous' }, 'void', '静音')).toMatchObject({
      reason: '静音',
      contact: { name: '', number: '' },
    })
    expect(changeOf({ ...draft, secrecy: '' }, 'accepted').secrecy).toBe('normal')
  })
  it('is saved with the version that was read', async () => {
    const { ask, bodies } = server(ticket())
    const done = await finish('c-1', ticket(), changeOf(draft, 'accepted'), ask)
    expect(done).toMatchObject({ is: 'saved', ticket: { state: 'accepted', version: 4 } })
    expect(bodies).toMatchObject([{ version: 2, title: '建功南里室温只有十五度' }])
  })
  it('goes on when only the engine was faster', async () => {
    const numbered = (t: Ticket) => ({ ...t, no: '261123000018', version: t.version + 1 })
    const { ask, bodies } = server(ticket({ no: null, version: 1 }), [numbered])
    const done = await finish('c-1', ticket({ no: null, version: 1 }), changeOf(draft, 'closed'), ask)
    expect(done.is).toBe('saved')
    expect(bodies.map((b) => b.version)).toEqual([1, 2])
  })
  it('stops when a person was faster, and says how it is now', async () => {
    const lead = (t: Ticket) => ({ ...t, content: '班长改过', version: t.version + 1 })
    const { ask, bodies } = server(ticket(), [lead])
    const told = await finish('c-1', ticket(), changeOf(draft, 'accepted'), ask)
    expect(told).toMatchObject({ is: 'changed', ticket: { content: '班长改过' } })
    expect(bodies).toHaveLength(1)
    // Read again, and sent again: now it is the agent's word.
    const seen = ticket({ content: '班长改过', version: 3 })
    expect((await finish('c-1', seen, changeOf(draft, 'accepted'), ask)).is).toBe('saved')
  })
  it('does not save twice what was saved and whose answer was lost', async () => {
    const { ask, bodies } = server(ticket())
    await finish('c-1', ticket(), changeOf(draft, 'accepted'), ask)
    expect((await finish('c-1', ticket(), changeOf(draft, 'accepted'), ask)).is).toBe('saved')
    expect(bodies).toHaveLength(1)
    expect((await finish('c-1', null, changeOf(draft, 'void', '静音'), ask)).is).toBe('changed')
  })
  it('gives up on a ticket that never rests', async () => {
    const more = (t: Ticket) => ({ ...t, version: t.version + 1 })
    const { ask, bodies } = server(ticket(), [more, more, more, more, more])
    expect((await finish('c-1', ticket(), changeOf(draft, 'accepted'), ask)).is).toBe('failed')
    expect(bodies).toHaveLength(4)
  })
  it('tells what is wrong at its field', async () => {
    const errors = [
      { field: 'street', code: 'needed', detail: 'street: needed' },
      { field: 'category', code: 'unknown_code', detail: 'no such code' },
    ]
    const refusal = { status: 422, title: 'no', code: 'refused', errors }
    const told = await finish('c-1', null, changeOf(draft, 'accepted'), server(ticket(), [], refusal).ask)
    expect(told).toEqual({ is: 'refused', errors: { street: 'needed', category: 'unknown_code' } })
    const away = { status: 503, title: 'away', code: 'away' }
    const failed = await finish('c-1', null, changeOf(draft, 'accepted'), server(ticket(), [], away).ask)
    expect(failed).toEqual({ is: 'failed', problem: away })
  })
})
