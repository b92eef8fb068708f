import { describe, expect, it } from 'vitest'
import { loudness } from './meter'
import { measure, sound, type Measure } from './quality'

const at = (received: number, lost: number, more: Partial<Measure> = {}): Measure => ({
  at: 5000,
  received,
  lost,
  jitter: 0.01,
  roundTrip: 0.02,
  ...more,
})
const before = at(0, 0, { at: 0 })

describe('sound in words', () => {
  it.each([
    ['nothing lost', at(250, 0), 5000, {}, 'good'],
    ['half a percent', at(995, 5), 5000, {}, 'good'],
    ['two percent', at(98, 2), 5000, {}, 'fair'],
    ['five percent', at(95, 5), 5000, {}, 'bad'],
    ['200 ms there and back', at(250, 0, { roundTrip: 0.2 }), 5000, {}, 'fair'],
    ['half a second', at(250, 0, { roundTrip: 0.5 }), 5000, {}, 'bad'],
    ['no packet for two seconds', at(250, 0), 3000, {}, 'bad'],
    ['the other side misses some', at(250, 0), 5000, { lostPermille: 20 }, 'fair'],
    ['counters that began again', at(10, 0), 5000, {}, 'good'],
  ] as const)('%s', (_, now, heardAt, reported, is) => {
    expect(sound(before, now, heardAt, reported)).toBe(is)
  })

  it('comes from a browser’s report', () => {
    const report = [
      { type: 'codec' },
      { type: 'inbound-rtp', kind: 'audio', packetsReceived: 700, packetsLost: 3, jitter: 0.004 },
      { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.012 },
      { type: 'candidate-pair', nominated: false, currentRoundTripTime: 9 },
    ]
    expect(measure(report, 7)).toEqual({ at: 7, received: 700, lost: 3, jitter: 0.004, roundTrip: 0.012 })
    expect(measure([], 7)).toEqual({ at: 7, received: 0, lost: 0, jitter: null, roundTrip: null })
  })

  it('loudness is 0 for silence, 100 for full scale, and rises between', () => {
    const level = (a: number) =>
      loudness(Float32Array.from({ length: 480 }, (_, n) => a * Math.sign(Math.sin(n / 5))))
    expect([level(0), level(1)]).toEqual([0, 100])
    expect(level(0.1)).toBeGreaterThan(level(0.01))
  })
})
