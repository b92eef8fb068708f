import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AgentAudio, isRaw, wanted, type AudioState } from './audio'
import { Refused } from './client'

class Track {
  kind = 'audio'
  label = 'USB'
  enabled = true
  muted = false
  readyState = 'live'
  onended: (() => void) | null = null
  onmute: (() => void) | null = null
  stop() {
    this.readyState = 'ended'
  }
}

class Peer extends EventTarget {
  static all: Peer[] = []
  connectionState = 'new'
  iceGatheringState = 'complete'
  signalingState = 'stable'
  localDescription: { sdp: string } | null = null
  remote = ''
  received = 0
  onconnectionstatechange: (() => void) | null = null
  ontrack: ((e: object) => void) | null = null
  sender = { track: null as unknown, replaceTrack: async (t: unknown) => void (this.sender.track = t) }
  constructor() {
    super()
    Peer.all.push(this)
  }
  addTransceiver(track: unknown) {
    this.sender.track = track
  }
  getSenders() {
    return [this.sender]
  }
  async createOffer() {
    return { type: 'offer', sdp: `offer ${Peer.all.indexOf(this)}` }
  }
  async setLocalDescription(d: { sdp: string }) {
    this.localDescription = d
    this.signalingState = 'have-local-offer'
  }
  async setRemoteDescription(d: { sdp: string }) {
    this.remote = d.sdp
    this.signalingState = 'stable'
  }
  async getStats() {
    return [{ type: 'inbound-rtp', kind: 'audio', packetsReceived: this.received, packetsLost: 0, jitter: 0 }]
  }
  close() {
    this.connectionState = 'closed'
    this.signalingState = 'closed'
  }
  become(state: string) {
    this.connectionState = state
    this.onconnectionstatechange?.()
  }
}

let track: Track
let sent: [string, Record<string, unknown>][]
let state: AudioState
let beat: () => void
let refuse: string | null
let audio: AgentAudio
const settle = () => vi.advanceTimersByTimeAsync(0)
const cmds = () => sent.map(([cmd]) => cmd)
const answer = (session: number) =>
  audio.heard({ event: 'media.answer', data: { session, sdp: `answer ${session}` } })
async function up(session = 1) {
  await audio.start(session)
  await settle()
  await answer(session)
  Peer.all.at(-1)!.become('connected')
}

beforeEach(() => {
  vi.useFakeTimers()
  localStorage.clear()
  Peer.all = []
  sent = []
  refuse = null
  track = new Track()
  vi.stubGlobal('RTCPeerConnection', Peer)
  const stream = { getAudioTracks: () => [track] }
  Object.defineProperty(navigator, 'mediaDevices', {
    configurable: true,
    value: { getUserMedia: vi.fn(async () => stream) },
  })
  audio = new AgentAudio({
    send: async (cmd, fields) => {
      sent.push([cmd, fields as Record<string, unknown>])
      if (refuse === cmd) throw new Refused('unknown_command', '')
      return { re: '', ok: true }
    },
    changed: (s) => (state = s),
    beat: (_, call) => {
      beat = call
      return { stop: () => (beat = () => {}) }
    },
  })
})
afterEach(() => {
  audio.stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('the agent’s audio', () => {
  it('offers, takes the answer of its own session, and is up once connected', async () => {
    await audio.start(1)
    await settle()
    expect(cmds()).toEqual(['media.microphone', 'media.offer'])
    expect(sent[1]?.[1]).toEqual({ sdp: 'offer 0' })
    await answer(7)
    expect(Peer.all[0]?.remote).toBe('')
    await answer(1)
    expect(Peer.all[0]?.remote).toBe('answer 1')
    expect(state.path).toBe('starting')
    Peer.all[0]!.become('connected')
    expect([state.path, state.microphone]).toEqual(['up', 'live'])
  })

  it('is set up once for a session, and anew beside the old for the next', async () => {
    await up(1)
    await audio.start(1)
    expect(Peer.all).toHaveLength(1)
    await audio.start(2)
    await settle()
    expect(Peer.all).toHaveLength(2)
    expect([Peer.all[0]?.connectionState, state.path]).toEqual(['connected', 'up'])
    await answer(2)
    Peer.all[1]!.become('connected')
    expect(Peer.all[0]?.connectionState).toBe('closed')
  })

  it('tells what it received, and stops where nobody wants to know', async () => {
    await up()
    beat()
    await settle()
    expect(cmds()).not.toContain('media.probe')
    Peer.all[0]!.received = 50
    beat()
    await settle()
    expect(sent.at(-1)).toEqual(['media.probe', { received: 50 }])
    refuse = 'media.probe'
    beat()
    await settle()
    const asked = sent.length
    beat()
    await settle()
    expect(sent.length).toBe(asked)
  })

  it('says in words how it sounds', async () => {
    await up()
    for (let n = 1; n <= 12; n++) {
      Peer.all[0]!.received = n * 12
      await vi.advanceTimersByTimeAsync(250)
      beat()
      await settle()
    }
    expect(state.sound).toBe('good')
    for (let n = 0; n < 12; n++) {
      await vi.advanceTimersByTimeAsync(250)
      beat()
      await settle()
    }
    expect(state.sound).toBe('bad')
  })

  it('heals a short gap by itself and offers anew after a long one', async () => {
    await up()
    Peer.all[0]!.become('disconnected')
    await vi.advanceTimersByTimeAsync(1000)
    Peer.all[0]!.become('connected')
    await vi.advanceTimersByTimeAsync(5000)
    expect([cmds().includes('media.restart'), state.path]).toEqual([false, 'up'])
    Peer.all[0]!.become('failed')
    await vi.advanceTimersByTimeAsync(10)
    expect([cmds().slice(-2), state.path, Peer.all.length]).toEqual([
      ['media.restart', 'media.offer'],
      'lost',
      2,
    ])
    await answer(1)
    Peer.all[1]!.become('connected')
    expect(state.path).toBe('up')
  })

  it('offers again and again, ever more slowly, while nothing connects', async () => {
    await audio.start(1)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(Peer.all.length).toBeGreaterThan(4)
    expect(Peer.all.length).toBeLessThan(12)
    expect(Peer.all.filter((p) => p.connectionState !== 'closed')).toHaveLength(1)
  })

  it('tells when the microphone is gone, refused and back', async () => {
    await up()
    track.readyState = 'ended'
    track.onended?.()
    expect([sent.at(-1), state.microphone]).toEqual([['media.microphone', { state: 'ended' }], 'ended'])
    vi.mocked(navigator.mediaDevices.getUserMedia).mockRejectedValueOnce(
      new DOMException('no', 'NotAllowedError'),
    )
    await audio.recheck()
    expect(state.microphone).toBe('denied')
    track = new Track()
    await audio.recheck()
    expect([sent.at(-1), Peer.all[0]?.sender.track]).toEqual([['media.microphone', { state: 'live' }], track])
  })

  it('tells of no microphone from the beginning, and offers nothing', async () => {
    vi.mocked(navigator.mediaDevices.getUserMedia).mockRejectedValue(
      new DOMException('no', 'NotAllowedError'),
    )
    await audio.start(1)
    await settle()
    expect(sent).toEqual([['media.microphone', { state: 'denied' }]])
  })

  it('mutes its own track', async () => {
    await up()
    audio.mute(true)
    expect([track.enabled, state.muted]).toEqual([false, true])
    audio.mute(false)
    expect(track.enabled).toBe(true)
  })

  it('frees the microphone when it stops', async () => {
    await up()
    audio.stop()
    expect([track.readyState, Peer.all[0]?.connectionState, state.path]).toEqual(['ended', 'closed', 'off'])
  })
})

describe('what is asked of the microphone', () => {
  it('cleans the sound, but not for a test', () => {
    expect(wanted(null, false)).toMatchObject({
      echoCancellation: true,
      noiseSuppression: true,
      autoGainControl: true,
    })
    expect(wanted('d1', true)).toMatchObject({
      echoCancellation: false,
      noiseSuppression: false,
      autoGainControl: false,
      deviceId: { ideal: 'd1' },
    })
  })
  it.each([
    ['', '', null, false],
    ['?audio=raw', '#/work', null, true],
    ['', '#/work?audio=raw', null, true],
    ['', '#/work', 'raw', true],
    ['?audio=clean', '', 'raw', false],
  ])('%s%s %s', (search, hash, kept, raw) => {
    expect(isRaw({ search, hash }, kept)).toBe(raw)
  })
})
