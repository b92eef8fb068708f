// Agents for the wall and the list: who needs help first, then by what they do. Pure.
import type { Colleague } from '../cti/frames'
import type { Alarm } from '../cti/model'

/** From when a state takes too long, ms: shown in amber. */
export const LONG: Partial<Record<Colleague['state'], number>> = {
  on_call: 600_000,
  wrap_up: 90_000,
  not_responding: 0,
}

export interface Tile extends Colleague {
  /** An alarm of this agent that nobody has dealt with. */
  need: 'crisis' | 'assist' | null
}

const ORDER: Colleague['state'][] = [
  'not_responding',
  'offered',
  'on_call',
  'wrap_up',
  'ready',
  'not_ready',
  'offline',
]

/** Times and numbers as they are written; `localeCompare` is many times slower, and this runs with every event. */
const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

export function tiles(
  colleagues: Iterable<Colleague>,
  alarms: readonly Alarm[],
  self: string | null,
): Tile[] {
  const needs = new Map<string, Tile['need']>()
  for (const { kind, agent } of alarms) {
    if (!agent || (kind !== 'crisis' && kind !== 'assist')) continue
    if (needs.get(agent) !== 'crisis') needs.set(agent, kind)
  }
  const rank = (t: Tile) => (t.need === 'crisis' ? -2 : t.need === 'assist' ? -1 : ORDER.indexOf(t.state))
  return [...colleagues]
    .filter((c) => c.agent !== self && c.state !== 'offline')
    .map((c): Tile => ({ ...c, need: c.state === 'on_call' ? (needs.get(c.agent) ?? null) : null }))
    .sort((a, b) => rank(a) - rank(b) || order(a.since, b.since) || order(a.agent, b.agent))
}

export function countStates(list: readonly Colleague[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { state } of list) counts[state] = (counts[state] ?? 0) + 1
  return counts
}
