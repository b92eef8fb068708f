// The agent's audio: the microphone to the engine and the engine to the ear, by WebRTC. Set up once at log-in, kept for all
// calls, brought back by itself.
//
//   off ──start──▶ starting ──connected──▶ up ──lost──▶ lost ──a new offer──▶ up
//
// The path of a page belongs to its websocket session: after a new `hello` a new one is offered while the old still plays, and
// takes its place once it is connected.
import type { Answer, Command, Commands, Events } from './frames'
import { measure, sound, type Measure, type Sound } from './quality'

export type Microphone = 'unknown' | 'live' | 'muted' | 'ended' | 'denied'

export interface AudioState {
  path: 'off' | 'starting' | 'up' | 'lost'
  /** When the path became what it is, ms. */
  since: number
  microphone: Microphone
  muted: boolean
  sound: Sound | null
  /** The browser waits for a click before it lets us be heard. */
  silent: boolean
  input: string
}

export interface AudioDeps {
  send: <C extends Command>(cmd: C, fields: Commands[C], volatile?: boolean) => Promise<Answer>
  changed: (state: AudioState) => void
  /** Calls back so often, also while the tab is hidden. */
  beat: (ms: number, call: () => void) => Beat
}

export interface Beat {
  stop: () => void
}

/** A timer of a worker: a hidden page's own are slowed down, and a late echo would look like a deaf ear. */
export function workerBeat(ms: number, call: () => void): Beat {
  const worker = new Worker(new URL('./beat.worker.ts', import.meta.url), { type: 'module' })
  worker.onmessage = call
  worker.postMessage(ms)
  return { stop: () => worker.terminate() }
}

/** The engine waits to be called: our own addresses are of little use to it, and later ones may follow. */
const GATHER_MS = 300
const CONNECT_MS = 6000
const DISCONNECTED_MS = 1500
/** Of the beats below, each fourth is looked at for its sound. */
const BEAT_MS = 250

/** Echo cancelling and the like are off only where a test asks: `?audio=raw` or `localStorage.audio = raw`. */
export function isRaw(
  place: { search: string; hash: string } = location,
  kept = localStorage.getItem('audio'),
): boolean {
  const asked = [place.search, place.hash.split('?')[1] ?? ''].map((q) => new URLSearchParams(q).get('audio'))
  return (asked[0] ?? asked[1] ?? kept) === 'raw'
}

export function wanted(device: string | null, raw: boolean): MediaTrackConstraints {
  return {
    echoCancellation: !raw,
    noiseSuppression: !raw,
    autoGainControl: !raw,
    channelCount: 1,
    ...(device ? { deviceId: { ideal: device } } : {}),
  }
}

export class AgentAudio {
  private state: AudioState = {
    path: 'off',
    since: 0,
    microphone: 'unknown',
    muted: false,
    sound: null,
    silent: false,
    input: '',
  }
  private session: number | null = null
  private track: MediaStreamTrack | null = null
  private stream: MediaStream | null = null
  private peer: RTCPeerConnection | null = null
  /** Being set up; becomes `peer` once connected. */
  private next: RTCPeerConnection | null = null
  private ear: HTMLAudioElement | null = null
  private beat: Beat | null = null
  private beats = 0
  private again: ReturnType<typeof setTimeout> | undefined
  private tries = 0
  private measures: Measure[] = []
  private heardAt = 0
  private received = 0
  private reported: { roundTripMs?: number | null; lostPermille?: number | null } = {}
  private probes = true
  private told: Microphone = 'unknown'
  private starting: Promise<void> | null = null

  constructor(private readonly deps: AudioDeps) {}

  /** Sets the path up for this session; does nothing when it is. */
  start(session: number): Promise<void> {
    if (this.session === session && this.state.path !== 'off') return this.starting ?? Promise.resolve()
    this.session = session
    this.told = 'unknown'
    this.probes = true
    if (this.state.path !== 'up') this.set({ path: 'starting', since: Date.now() })
    this.starting = this.begin().finally(() => (this.starting = null))
    return this.starting
  }

  /** Opens the microphone before the engine has said anything: after a reload each tenth of a second counts. */
  warm() {
    if (this.state.path === 'off') void this.listen()
  }

  stop() {
    this.session = null
    this.beat?.stop()
    clearTimeout(this.again)
    this.beat = null
    this.close(this.peer)
    this.close(this.next)
    this.peer = this.next = null
    this.track?.stop()
    this.track = this.stream = null
    if (this.ear) this.ear.srcObject = null
    this.set({ path: 'off', since: Date.now(), microphone: 'unknown', muted: false, sound: null })
  }

  mute(muted: boolean) {
    if (this.track) this.track.enabled = !muted
    this.set({ muted })
  }

  /** The microphone's stream, for a level meter or an echo test. */
  get microphone(): MediaStream | null {
    return this.stream
  }

  /** After a refusal or an unplugged headset: ask again. */
  async recheck(): Promise<void> {
    this.track?.stop()
    this.track = this.stream = null
    if (await this.listen()) await this.swapTrack()
  }

  async useInput(device: string): Promise<void> {
    localStorage.setItem('audio.input', device)
    await this.recheck()
  }

  async useOutput(device: string): Promise<void> {
    localStorage.setItem('audio.output', device)
    await setSink(this.ear, device)
  }

  /** The click the browser waited for. */
  async unlock() {
    await this.ear?.play().then(
      () => this.set({ silent: false }),
      () => {},
    )
  }

  /** An event of the server about this path. */
  async heard({
    event,
    data,
  }:
    | { event: 'media.answer'; data: Events['media.answer'] }
    | { event: 'media.candidate'; data: Events['media.candidate'] }
    | { event: 'media.quality'; data: Events['media.quality'] }) {
    if (data.session !== this.session) return
    const peer = this.next ?? this.peer
    try {
      if (event === 'media.answer') {
        if (peer?.signalingState === 'have-local-offer')
          await peer.setRemoteDescription({ type: 'answer', sdp: data.sdp })
      } else if (event === 'media.candidate') {
        await peer?.addIceCandidate(
          data.candidate ? { candidate: data.candidate, sdpMid: data.mid ?? '0' } : undefined,
        )
      } else this.reported = { roundTripMs: data.round_trip_ms, lostPermille: data.lost_permille }
    } catch {
      this.later()
    }
  }

  private set(change: Partial<AudioState>) {
    this.state = { ...this.state, ...change }
    this.deps.changed(this.state)
  }

  private async begin() {
    if (!this.ear) {
      this.ear = new Audio()
      this.ear.autoplay = true
      void setSink(this.ear, localStorage.getItem('audio.output') ?? '')
    }
    if (!(await this.listen())) {
      this.tellMicrophone()
      return
    }
    await this.offer()
    this.beat ??= this.deps.beat(BEAT_MS, () => void this.look())
  }

  /** Opens the microphone. False: there is none. */
  private async listen(): Promise<boolean> {
    if (this.track?.readyState === 'live') return true
    try {
      if (!navigator.mediaDevices) throw new Error('no secure context')
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: wanted(localStorage.getItem('audio.input'), isRaw()),
      })
    } catch (e) {
      this.set({ microphone: (e as Error).name === 'NotFoundError' ? 'ended' : 'denied' })
      return false
    }
    const track = this.stream.getAudioTracks()[0] ?? null
    this.track = track
    if (!track) return false
    track.enabled = !this.state.muted
    const look = () => {
      if (track !== this.track) return
      this.set({
        microphone: track.readyState === 'ended' ? 'ended' : track.muted ? 'muted' : 'live',
        input: track.label,
      })
      this.tellMicrophone()
    }
    track.onended = track.onmute = track.onunmute = look
    look()
    return true
  }

  /** The engine offers no call to a deaf path: it is told what only the page can know. */
  private tellMicrophone() {
    const state = this.state.microphone
    if (this.session === null || state === 'unknown' || state === this.told) return
    this.told = state
    this.deps.send('media.microphone', { state }, true).catch(() => (this.told = 'unknown'))
  }

  private async swapTrack() {
    if (this.session === null) return
    if (!this.peer && !this.next) return this.begin()
    for (const peer of [this.peer, this.next]) {
      const sender = peer?.getSenders()[0]
      if (sender) await sender.replaceTrack(this.track).catch(() => {})
    }
    this.tellMicrophone()
  }

  /** A path of its own, beside what still plays. */
  private async offer() {
    const session = this.session
    this.close(this.next)
    const peer = new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' })
    this.next = peer
    if (this.track && this.stream)
      peer.addTransceiver(this.track, { direction: 'sendrecv', streams: [this.stream] })
    peer.ontrack = (e) => {
      const remote = e.streams[0] ?? new MediaStream([e.track])
      // The old path plays until this one is connected.
      peer.addEventListener('connectionstatechange', () => {
        if (peer.connectionState === 'connected') void this.play(remote)
      })
      if (peer.connectionState === 'connected' || !this.peer) void this.play(remote)
    }
    peer.onconnectionstatechange = () => this.moved(peer)
    try {
      await peer.setLocalDescription(await peer.createOffer())
      await this.sendOffer(peer, session)
      clearTimeout(this.again)
      this.again = setTimeout(() => peer === this.next && this.later(), CONNECT_MS)
    } catch {
      if (peer === this.next && session === this.session) this.later()
    }
  }

  private async sendOffer(peer: RTCPeerConnection, session: number | null) {
    await gathered(peer)
    if (session !== this.session || peer.signalingState === 'closed') return
    const whole = peer.iceGatheringState === 'complete'
    if (!whole)
      peer.onicecandidate = (e) => {
        const { candidate, sdpMid, sdpMLineIndex } = e.candidate ?? {
          candidate: '',
          sdpMid: null,
          sdpMLineIndex: null,
        }
        const mid = sdpMid === null ? {} : { mid: sdpMid }
        void this.deps
          .send(
            'media.candidate',
            { candidate, ...mid, ...(sdpMLineIndex === null ? {} : { line: sdpMLineIndex }) },
            true,
          )
          .catch(() => {})
      }
    await this.deps.send('media.offer', { sdp: peer.localDescription?.sdp ?? '' }, true)
  }

  private async play(remote: MediaStream) {
    if (!this.ear || this.ear.srcObject === remote) return
    this.ear.srcObject = remote
    await this.ear.play().then(
      () => this.set({ silent: false }),
      (e: Error) => {
        if (e.name === 'NotAllowedError') this.set({ silent: true })
      },
    )
  }

  private moved(peer: RTCPeerConnection) {
    const is = peer.connectionState
    if (peer === this.next && is === 'connected') {
      clearTimeout(this.again)
      this.close(this.peer)
      this.peer = peer
      this.next = null
      this.tries = 0
      this.measures = []
      this.received = 0
      this.heardAt = Date.now()
      this.set({ path: 'up', since: Date.now() })
      this.tellMicrophone()
    } else if (peer === this.next && is === 'failed') this.later()
    else if (peer === this.peer && is === 'connected') {
      clearTimeout(this.again)
      this.tries = 0
      if (this.state.path !== 'up') this.set({ path: 'up', since: Date.now() })
    } else if (peer === this.peer && (is === 'failed' || is === 'disconnected') && !this.next) {
      clearTimeout(this.again)
      // A short gap heals by itself; a long one doesn't.
      this.again = setTimeout(
        () => peer === this.peer && void this.restart(),
        is === 'failed' ? 0 : DISCONNECTED_MS,
      )
    } else if (peer === this.peer && (is === 'failed' || is === 'disconnected'))
      // The new path is on its way already, and may never come when the server has gone: nothing is heard meanwhile.
      this.set({
        path: 'lost',
        since: this.state.path === 'lost' ? this.state.since : Date.now(),
        sound: null,
      })
  }

  /** Over another network: the engine is told, and a new path is offered. */
  private async restart() {
    if (this.session === null) return
    this.set({ path: 'lost', since: this.state.path === 'lost' ? this.state.since : Date.now(), sound: null })
    await this.deps.send('media.restart', {}, true).catch(() => {})
    await this.offer()
  }

  private later() {
    if (this.session === null) return
    clearTimeout(this.again)
    if (!(this.peer?.connectionState === 'connected'))
      this.set({
        path: this.peer || this.tries ? 'lost' : 'starting',
        since: this.state.path === 'lost' ? this.state.since : Date.now(),
      })
    const pause = Math.min(5000, 300 * 2 ** Math.min(this.tries, 8)) * (0.5 + Math.random() / 2)
    this.tries++
    this.again = setTimeout(() => void this.offer(), pause)
  }

  private close(peer: RTCPeerConnection | null) {
    if (!peer) return
    peer.onconnectionstatechange = peer.ontrack = peer.onicecandidate = null
    peer.close()
  }

  /** Four times a second what was received is told, so that the engine knows it is heard; once a second it is judged. */
  private async look() {
    const peer = this.peer
    if (!peer || this.session === null) return
    const rows: Record<string, unknown>[] = []
    const report = await peer.getStats().catch(() => null)
    report?.forEach((row: unknown) => rows.push(row as Record<string, unknown>))
    if (peer !== this.peer) return
    const now = measure(rows, Date.now())
    if (now.received > this.received) this.heardAt = now.at
    this.received = now.received
    if (this.probes && now.received > 0) this.probe(now.received)
    if (this.beats++ % 4 === 0) this.judge(now)
  }

  private probe(received: number) {
    this.deps.send('media.probe', { received }, true).catch((e: { code?: string }) => {
      // An engine that measures by itself needs no word from us.
      if (e.code === 'unknown_command') this.probes = false
    })
  }

  private judge(now: Measure) {
    this.measures = [...this.measures, now].slice(-6)
    const before = this.measures[0]
    if (before && before !== now && this.state.path === 'up') {
      const is = sound(before, now, this.heardAt, this.reported)
      if (is !== this.state.sound) this.set({ sound: is })
    }
    this.tellMicrophone()
  }
}

/** Until all candidates are known, or long enough that they should be. */
function gathered(peer: RTCPeerConnection): Promise<void> {
  if (peer.iceGatheringState === 'complete') return Promise.resolve()
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer)
      peer.removeEventListener('icegatheringstatechange', look)
      done()
    }
    const look = () => peer.iceGatheringState === 'complete' && end()
    const timer = setTimeout(end, GATHER_MS)
    peer.addEventListener('icegatheringstatechange', look)
  })
}

async function setSink(element: HTMLMediaElement | null, device: string) {
  if (element && 'setSinkId' in element) await element.setSinkId(device).catch(() => {})
}
