// How a tab stood at work a moment ago, kept for a server that comes back knowing nobody. Pure.
import type { Card } from './frames'
import { citizens, type World } from './model'

export interface Stood {
  agent: string | undefined
  device: string | null
  ready: boolean
  at: number
  /** The call whose ticket was being written: spoken on, just ended, or cut off before already. */
  cut: Card | null
}

/** Longer than this and somebody may have gone home. */
const AWAY_MS = 60_000

/** `cut`: an earlier call that was cut off, its ticket not finished yet. */
export function stood(world: World, cut: Card | null, now: number): Stood {
  const { me, device, hello } = world
  const card = citizens(world) ?? (me.state === 'wrap_up' ? world.last : null)
  // Who was asked by a colleague writes no ticket for that.
  const own = card && card.state !== 'consulting' && card.state !== 'dialling' ? card : null
  const ready = me.state !== 'not_ready' || cut !== null
  return { agent: hello?.agent, device, ready, at: now, cut: own ?? cut }
}

/** What was kept, if it is this agent's and still counts. */
export function back(kept: string | null, agent: string | undefined, now: number): Stood | null {
  if (!kept) return null
  const was = JSON.parse(kept) as Stood
  return was.agent !== agent || now - was.at > AWAY_MS ? null : was
}

/** The call that was cut off, as it was kept over a reload; only to whose it was. */
export function cutFor(kept: string | null, agent: string | undefined): Card | null {
  const was = kept ? (JSON.parse(kept) as { agent?: string; card: Card }) : null
  return was && was.agent === agent ? was.card : null
}
