import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CtiClient, Refused, SUBPROTOCOL, type Link } from './client'
import type { EventFrame } from './frames'

class FakeSocket {
  static all: FakeSocket[] = []
  sent: { id: string; cmd: string; [more: string]: unknown }[] = []
  closed = false
  onmessage: ((e: { data: string }) => void) | null = null
  onclose: ((e: { code: number }) => void) | null = null
  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {
    FakeSocket.all.push(this)
  }
  send(text: string) {
    this.sent.push(JSON.parse(text))
  }
  close() {
    this.closed = true
  }
  say(frame: object) {
    this.onmessage?.({ data: JSON.stringify({ at: '2026-11-23T09:00:00.000+08:00', ...frame }) })
  }
  hello(more: object = {}) {
    this.say({
      event: 'hello',
      data: {
        protocol: 1,
        heartbeat_ms: 5000,
        agent: '8001',
        session: 1,
        acting: true,
        resume: 0,
        resumed: false,
        ...more,
      },
    })
  }
  snapshot(seq: number) {
    this.say({ event: 'snapshot', seq, data: {} })
  }
  event(seq: number) {
    this.say({ event: 'call.held', seq, data: { call: `c${seq}` } })
  }
  lose(code = 1006) {
    this.onclose?.({ code })
  }
}

const last = () => FakeSocket.all.at(-1)!
let frames: EventFrame[]
let links: Link[]
let out: number
let watching: boolean
let client: CtiClient

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.all = []
  frames = []
  links = []
  out = 0
  watching = false
  client = new CtiClient({
    url: 'ws://x/cti/v1',
    frame: (f) => frames.push(f),
    link: (l) => links.push(l),
    signedOut: () => out++,
    watch: () => watching,
    open: (url, protocol) => new FakeSocket(url, protocol) as unknown as WebSocket,
    random: () => 1,
  })
  client.start()
})
afterEach(() => {
  client.stop()
  vi.useRealTimers()
})

/** The numbers of the events that came through. */
const seqs = () => frames.map((f) => f.seq).filter((n) => n !== undefined)
const is = () => links.at(-1)?.is

describe('the line', () => {
  it('speaks the contract’s subprotocol and begins without a resume point', () => {
    expect([last().url, last().protocol]).toEqual(['ws://x/cti/v1', SUBPROTOCOL])
    expect(is()).toBe('connecting')
    last().hello()
    expect(is()).toBe('open')
  })

  it('resumes after the last event it saw', () => {
    last().hello()
    last().snapshot(16)
    last().event(17)
    last().lose()
    expect(is()).toBe('down')
    vi.advanceTimersByTime(500)
    expect(last().url).toBe('ws://x/cti/v1?resume=17')
    last().hello({ resumed: true })
    last().event(18)
    expect(seqs()).toEqual([16, 17, 18])
  })

  it('gives each event once and asks for a snapshot when one is missing', () => {
    last().hello()
    last().snapshot(16)
    last().event(16)
    last().event(17)
    last().event(17)
    expect(seqs()).toEqual([16, 17])
    last().event(19)
    expect(is()).toBe('down')
    vi.advanceTimersByTime(500)
    expect(last().url).toBe('ws://x/cti/v1')
    expect(seqs()).toEqual([16, 17])
  })

  it('pauses twice as long after each failure, eight seconds at most, and begins anew once it is back', () => {
    const pauses = Array.from({ length: 8 }, () => {
      last().lose()
      const down = links.at(-1) as Link & { is: 'down' }
      const pause = down.next - Date.now()
      vi.advanceTimersByTime(pause)
      expect(is()).toBe('connecting')
      return pause
    })
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000, 8000])
    last().hello()
    last().lose()
    expect((links.at(-1) as Link & { is: 'down' }).next - Date.now()).toBe(500)
  })

  it('remembers since when it was lost while it tries', () => {
    last().hello()
    const lost = Date.now()
    last().lose()
    vi.advanceTimersByTime(500)
    last().lose()
    vi.advanceTimersByTime(300)
    expect((links.at(-1) as Link & { is: 'down' }).since).toBe(lost)
  })

  it('is dead after two and a half heartbeats of silence; any frame is a sign of life', () => {
    last().hello()
    for (let n = 0; n < 10; n++) {
      vi.advanceTimersByTime(5000)
      last().say({ event: 'heartbeat' })
    }
    expect(is()).toBe('open')
    vi.advanceTimersByTime(13_400)
    expect(is()).toBe('open')
    vi.advanceTimersByTime(200)
    expect(is()).toBe('down')
    expect(FakeSocket.all[0]?.closed).toBe(true)
  })

  it('does not wait for a server that opens and says nothing', () => {
    vi.advanceTimersByTime(10_000)
    expect(is()).toBe('down')
  })

  it('hears nothing more from a socket it has left', () => {
    const old = last()
    const heard = old.onmessage
    old.hello()
    old.lose()
    vi.advanceTimersByTime(500)
    last().hello()
    last().snapshot(3)
    heard?.({ data: JSON.stringify({ event: 'call.held', seq: 4, at: '', data: { call: 'x' } }) })
    expect(seqs()).toEqual([3])
  })

  it('stays away once signed out, and says so', () => {
    last().hello()
    last().lose(4401)
    expect(out).toBe(1)
    vi.advanceTimersByTime(60_000)
    expect(FakeSocket.all).toHaveLength(1)
  })

  it('only watches after another page took over, so that two pages do not take from each other', () => {
    last().hello()
    watching = true
    last().lose()
    vi.advanceTimersByTime(500)
    expect(last().url).toContain('watch=true')
  })

  it('falls back on a frame that cannot be read', () => {
    last().hello()
    last().onmessage?.({ data: '{' })
    expect(is()).toBe('down')
  })
})

describe('commands', () => {
  it('settle with their own answer', async () => {
    last().hello()
    const held = client.send('call.hold', { call: 'c1' })
    const dialled = client.send('call.dial', { number: '96069' })
    const [a, b] = last().sent
    expect(a).toMatchObject({ cmd: 'call.hold', call: 'c1' })
    last().say({ re: b!.id, ok: true, call: 'c2' })
    last().say({ re: a!.id, ok: false, error: { code: 'wrong_state', message: 'not in this state' } })
    await expect(dialled).resolves.toMatchObject({ call: 'c2' })
    await expect(held).rejects.toMatchObject({ code: 'wrong_state' })
  })

  it('go again with the same id after the line was lost, and are settled once', async () => {
    last().hello()
    const answered = client.send('call.answer', { call: 'c1' })
    const first = last().sent[0]!
    last().lose()
    vi.advanceTimersByTime(500)
    expect(last().sent).toEqual([])
    last().hello({ resumed: true })
    expect(last().sent).toEqual([first])
    last().say({ re: first.id, ok: true })
    last().say({ re: first.id, ok: true })
    await expect(answered).resolves.toMatchObject({ ok: true })
  })

  it('asked while the line is down go out when it is back', () => {
    client.send('agent.ready', {}).catch(() => {})
    expect(last().sent).toEqual([])
    last().hello()
    expect(last().sent.map((s) => s.cmd)).toEqual(['agent.ready'])
  })

  it('are not sent again when they have become old', async () => {
    last().hello()
    const old = client.send('call.hangup', { call: 'c1' })
    const caught = old.catch((e: Refused) => e.code)
    last().lose()
    vi.setSystemTime(Date.now() + 31_000)
    vi.advanceTimersByTime(500)
    last().hello()
    expect(last().sent).toEqual([])
    await expect(caught).resolves.toBe('no_answer')
  })

  it('of the moment are lost with the line', async () => {
    await expect(client.send('media.probe', { received: 1 }, true)).rejects.toMatchObject({ code: 'no_line' })
    last().hello()
    const probe = client.send('media.probe', { received: 1 }, true).catch((e: Refused) => e.code)
    last().lose()
    await expect(probe).resolves.toBe('no_answer')
  })

  it('have ids of their own and are bounded', async () => {
    last().hello()
    const all = Array.from({ length: 64 }, () => client.send('agent.ready', {}).catch(() => {}))
    await expect(client.send('agent.ready', {})).rejects.toMatchObject({ code: 'limit' })
    expect(new Set(last().sent.map((s) => s.id)).size).toBe(64)
    client.stop()
    await Promise.all(all)
  })
})

describe('a thousand breaks', () => {
  it('leave neither gap nor double', () => {
    // A server that keeps what it said; the line breaks wherever it likes.
    let chance = 7
    const random = () => (chance = (chance * 16807) % 2147483647) / 2147483647
    let said = 0
    const attach = () => {
      const resume = Number(new URL(last().url).searchParams.get('resume') ?? NaN)
      const kept = !Number.isNaN(resume) && said - resume < 20
      last().hello({ resumed: kept })
      if (kept) for (let n = resume + 1; n <= said; n++) last().event(n)
      else last().snapshot(said)
    }
    attach()
    for (let n = 0; n < 1000; n++) {
      const burst = Math.floor(random() * 30)
      for (let k = 0; k < burst; k++) {
        said++
        last().event(said)
      }
      last().lose()
      said += Math.floor(random() * 30)
      vi.advanceTimersByTime(9000)
      attach()
    }
    let at: number | null = null
    for (const f of frames) {
      if (f.event === 'snapshot') at = f.seq ?? null
      else if (f.seq !== undefined) {
        expect(f.seq).toBe((at ?? 0) + 1)
        at = f.seq
      }
    }
    expect(at).toBe(said)
    expect(frames.length).toBeGreaterThan(10_000)
  })
})
