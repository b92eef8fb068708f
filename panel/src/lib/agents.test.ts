import { describe, expect, it } from 'vitest'
import type { Colleague } from '../cti/frames'
import type { Alarm } from '../cti/model'
import { countStates, tiles } from './agents'

const one = (agent: string, state: Colleague['state'], since = '2026-11-23T09:00:00+08:00'): Colleague => ({
  agent,
  state,
  since,
  device: null,
  call: null,
})
const alarm = (kind: string, agent: string): Alarm => ({ n: 1, at: '', kind, agent, call: null, note: '' })

describe('agents on the wall', () => {
  const all = [
    one('1', 'ready'),
    one('2', 'on_call', '2026-11-23T09:00:05+08:00'),
    one('3', 'on_call', '2026-11-23T09:00:01+08:00'),
    one('4', 'not_responding'),
    one('5', 'on_call'),
    one('6', 'offline'),
    one('7', 'not_ready'),
    one('8', 'on_call'),
    one('9', 'wrap_up'),
  ]
  it('stand by need of help, then by what they do, then by how long', () => {
    const alarms = [alarm('assist', '5'), alarm('crisis', '8'), alarm('assist', '8'), alarm('assist', '1')]
    expect(tiles(all, alarms, '9').map((t) => t.agent)).toEqual(['8', '5', '4', '3', '2', '1', '7'])
  })
  it('need help only while they talk', () => {
    expect(tiles([one('1', 'ready')], [alarm('assist', '1')], null)[0]?.need).toBeNull()
  })
  it('are counted by state', () => {
    expect(countStates(all)).toEqual({
      ready: 1,
      on_call: 4,
      not_responding: 1,
      offline: 1,
      not_ready: 1,
      wrap_up: 1,
    })
  })
})
