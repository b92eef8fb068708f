// The CTI websocket: connects, comes back by itself, gives every event once and in order, and carries each command out once.
//
//   stopped ──start──▶ connecting ──hello──▶ open ──closed, silent, gap──▶ down ──after a pause──▶ connecting
//
// The rules that always hold: what is given to `frame` has no gap since the last snapshot; a command's promise settles; the
// number of waiting commands is bounded; one timer and one socket at most.
import type { Answer, Command, Commands, EventFrame, Hello } from './frames'

export const SUBPROTOCOL = 'hotline.cti.v1'
/** Commands that wait for their answers at most. */
const WAITING = 64
/** A command older than this is not sent again: what was meant may no longer be true. */
const STALE_MS = 30_000
const HELLO_MS = 10_000
const PAUSE_MIN = 500
const PAUSE_MAX = 8000
/** The server's code for a session that has ended. */
const SIGNED_OUT = 4401

export type Link =
  | { is: 'stopped' }
  | { is: 'connecting'; since: number; tries: number }
  | { is: 'open'; since: number }
  | { is: 'down'; since: number; tries: number; next: number }

/** A command that was not carried out: the contract's code, or ours (`no_answer`, `limit`, `stopped`). */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

export interface Options {
  /** `wss://…/cti/v1` without a query. */
  url: string
  frame: (frame: EventFrame) => void
  link: (link: Link) => void
  signedOut: () => void
  /** Rather watch than act: set by a page another one has taken over from. */
  watch?: () => boolean
  open?: (url: string, protocol: string) => WebSocket
  now?: () => number
  random?: () => number
}

interface Waiting {
  text: string
  since: number
  done: (answer: Answer) => void
  fail: (why: Refused) => void
}

export class CtiClient {
  private socket: WebSocket | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private state: Link = { is: 'stopped' }
  private readonly waiting = new Map<string, Waiting>()
  /** Number of the last event seen; null: begin with a snapshot. */
  private seq: number | null = null
  private heartbeat = 5000
  private tries = 0
  /** When the line was lost: stays while one tries. */
  private lost = 0
  private count = 0
  private readonly prefix: string
  private readonly now: () => number
  private readonly random: () => number

  constructor(private readonly options: Options) {
    this.now = options.now ?? Date.now
    this.random = options.random ?? Math.random
    this.prefix = Array.from(crypto.getRandomValues(new Uint8Array(6)), (b) =>
      b.toString(16).padStart(2, '0'),
    ).join('')
  }

  start() {
    if (this.state.is === 'stopped') this.connect()
  }

  /** Ends everything; commands that wait are given up. */
  stop() {
    clearTimeout(this.timer)
    this.drop()
    this.seq = null
    this.tries = 0
    this.lost = 0
    for (const id of [...this.waiting.keys()]) this.give(id, new Refused('stopped', 'stopped'))
    this.set({ is: 'stopped' })
  }

  /** Does not wait for the pause to end. */
  retry() {
    if (this.state.is === 'down') this.connect()
  }

  /** Carries a command out, once, whatever happens to the line meanwhile. A volatile one is lost with the line. */
  send<C extends Command>(cmd: C, fields: Commands[C], volatile = false): Promise<Answer> {
    const id = `${this.prefix}-${++this.count}`
    const text = JSON.stringify({ id, cmd, ...fields })
    if (volatile && this.state.is !== 'open') return Promise.reject(new Refused('no_line', 'not connected'))
    if (this.waiting.size >= WAITING) return Promise.reject(new Refused('limit', 'too many commands wait'))
    return new Promise((done, fail) => {
      this.waiting.set(id, { text, since: this.now() - (volatile ? STALE_MS : 0), done, fail })
      if (this.state.is === 'open') this.socket?.send(text)
    })
  }

  private set(link: Link) {
    this.state = link
    this.options.link(link)
  }

  private connect() {
    clearTimeout(this.timer)
    this.drop()
    this.lost ||= this.now()
    this.set({ is: 'connecting', since: this.lost, tries: this.tries })
    const query = new URLSearchParams()
    if (this.seq !== null) query.set('resume', String(this.seq))
    if (this.options.watch?.()) query.set('watch', 'true')
    const url = query.size ? `${this.options.url}?${query}` : this.options.url
    let socket: WebSocket
    try {
      socket = (this.options.open ?? ((u, p) => new WebSocket(u, p)))(url, SUBPROTOCOL)
    } catch {
      return this.fall()
    }
    this.socket = socket
    socket.onmessage = (e) => {
      if (socket === this.socket) this.heard(String(e.data))
    }
    socket.onclose = (e) => {
      if (socket !== this.socket) return
      if (e.code === SIGNED_OUT) {
        this.stop()
        this.options.signedOut()
      } else this.fall()
    }
    this.watchFor(HELLO_MS)
  }

  /** No sign of life for this long: the line is dead, whatever the browser says. */
  private watchFor(ms: number) {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.fall(), ms)
  }

  private drop() {
    const socket = this.socket
    this.socket = null
    if (!socket) return
    socket.onmessage = socket.onclose = null
    try {
      socket.close()
    } catch {
      // It was closed already.
    }
  }

  private fall() {
    clearTimeout(this.timer)
    this.drop()
    this.lost ||= this.now()
    // Half of the pause is chance, so that not all pages come back in the same moment.
    const pause = Math.min(PAUSE_MAX, PAUSE_MIN * 2 ** Math.min(this.tries, 10)) * (0.5 + 0.5 * this.random())
    this.tries++
    this.giveUpStale()
    this.set({ is: 'down', since: this.lost, tries: this.tries, next: this.now() + pause })
    this.timer = setTimeout(() => this.connect(), pause)
  }

  private heard(text: string) {
    let frame: EventFrame | Answer
    try {
      frame = JSON.parse(text) as EventFrame | Answer
    } catch {
      return this.fall()
    }
    if (this.state.is === 'open') this.watchFor(2.5 * this.heartbeat + 1000)
    if ('re' in frame) return this.answered(frame)
    if (frame.event === 'hello') return this.hello(frame, frame.data)
    if (this.state.is !== 'open') return
    if (frame.event === 'snapshot') this.seq = frame.seq ?? null
    else if (frame.seq !== undefined) {
      if (this.seq !== null && frame.seq <= this.seq) return
      if (this.seq !== null && frame.seq !== this.seq + 1) {
        // Something is missing: only a snapshot makes it whole.
        this.seq = null
        return this.fall()
      }
      this.seq = frame.seq
    }
    this.options.frame(frame)
  }

  private hello(frame: EventFrame, hello: Hello) {
    this.heartbeat = Math.min(Math.max(hello.heartbeat_ms || 5000, 1000), 60_000)
    this.tries = 0
    this.lost = 0
    if (hello.resumed === false) this.seq = null
    this.set({ is: 'open', since: this.now() })
    this.watchFor(2.5 * this.heartbeat + 1000)
    this.options.frame(frame)
    this.giveUpStale()
    // Their fate is not known: the same id again is carried out once, and answered.
    for (const { text } of this.waiting.values()) this.socket?.send(text)
  }

  private answered(answer: Answer) {
    if (answer.re === null) return
    const asked = this.waiting.get(answer.re)
    if (!asked) return
    this.waiting.delete(answer.re)
    if (answer.ok) asked.done(answer)
    else asked.fail(new Refused(answer.error?.code ?? 'refused', answer.error?.message ?? ''))
  }

  private giveUpStale() {
    for (const [id, asked] of [...this.waiting]) {
      if (this.now() - asked.since >= STALE_MS) this.give(id, new Refused('no_answer', 'no answer came'))
    }
  }

  private give(id: string, why: Refused) {
    const asked = this.waiting.get(id)
    this.waiting.delete(id)
    asked?.fail(why)
  }
}
