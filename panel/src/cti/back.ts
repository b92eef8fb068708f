// How a tab stood at work a moment ago, kept for a server that comes back knowing nobody. Pure.
import type { Card } from './frames'
import { citizens, type World } from './model'

export interface Stood {
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
  const { me, device } = world
  const card = citizens(world) ?? (me.state === 'wrap_up' ? world.last : null)
  // Who was asked by a colleague writes no ticket for that.
  const own = card && card.state !== 'consulting' && card.state !== 'dialling' ? card : null
  return { device, ready: me.state !== 'not_ready' || cut !== null, at: now, cut: own ?? cut }
}

/** What was kept, if it still counts. */
export function back(kept: string | null, now: number): Stood | null {
  if (!kept) return null
  const was = JSON.parse(kept) as Stood
  return now - was.at > AWAY_MS ? null : was
}
