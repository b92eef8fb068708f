// How well sound passes, in words, from what was measured here. Pure.

export type Sound = 'good' | 'fair' | 'bad'

/** Counters of one moment: of our receiving side, and the round trip. */
export interface Measure {
  at: number
  received: number
  lost: number
  /** Seconds, as browsers tell it. */
  jitter: number | null
  roundTrip: number | null
}

/** Packets missing from the counters of an audio that never pauses mean silence on the way. */
const SILENT_MS = 2000

/** `before`: some seconds ago. `heardAt`: when the number of packets last grew. */
export function sound(
  before: Measure,
  now: Measure,
  heardAt: number,
  reported: { roundTripMs?: number | null; lostPermille?: number | null } = {},
): Sound {
  if (now.at - heardAt >= SILENT_MS) return 'bad'
  const received = Math.max(0, now.received - before.received)
  const lost = Math.max(0, now.lost - before.lost)
  const here = received + lost > 0 ? lost / (received + lost) : 0
  const loss = Math.max(here, (reported.lostPermille ?? 0) / 1000)
  const trip = Math.max((now.roundTrip ?? 0) * 1000, reported.roundTripMs ?? 0)
  const jitter = (now.jitter ?? 0) * 1000
  if (loss < 0.01 && trip < 150 && jitter < 50) return 'good'
  return loss < 0.03 && trip < 300 && jitter < 100 ? 'fair' : 'bad'
}

/** The figures the words come from, out of a browser's report. */
export function measure(report: Iterable<Record<string, unknown>>, at: number): Measure {
  const found: Measure = { at, received: 0, lost: 0, jitter: null, roundTrip: null }
  const number = (v: unknown) => (typeof v === 'number' && Number.isFinite(v) ? v : null)
  for (const row of report) {
    if (row.type === 'inbound-rtp' && (row.kind ?? 'audio') === 'audio') {
      found.received = number(row.packetsReceived) ?? 0
      found.lost = number(row.packetsLost) ?? 0
      found.jitter = number(row.jitter)
    } else if (row.type === 'candidate-pair' && (row.nominated === true || row.selected === true)) {
      found.roundTrip = number(row.currentRoundTripTime) ?? found.roundTrip
    } else if (row.type === 'remote-inbound-rtp' && found.roundTrip === null)
      found.roundTrip = number(row.roundTripTime)
  }
  return found
}
