// A scripted stand-in for the engine, only to draw the pages: serves the built panel, answers what they ask, and says over
// the CTI websocket what it is told to. No rule of the hotline is in here; tests of behaviour use the real server.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { WebSocketServer } from 'ws'

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
// The server's own, so that what it forbids shows here too.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
const iso = (ms) => new Date(ms + 8 * 3_600_000).toISOString().replace('Z', '+08:00')
export const at = (secondsAgo) => iso(Date.now() - secondsAgo * 1000)

export const card = (more = {}) => ({
  call: 'c-1-1-7',
  direction: 'inbound',
  queue: 'main',
  caller: '12000000001',
  called: '12341',
  ticket: 'c-1-1-7',
  ticket_no: null,
  ticket_code: null,
  state: 'talking',
  arrived_at: at(200),
  queued_at: at(198.2),
  answered_at: at(192),
  path: ['welcome', 'people'],
  urgent: false,
  recording_paused: false,
  others: [],
  ...more,
})

const TICKETS = [
  ['251123001874', 'closed', '催办：热力仍未上门', '030101', 'rl', '110102019', 4],
  ['251116001602', 'awaiting_visit', '建功南里居民反映供暖首日室温15度', '030101', 'rl', '110102019', 7],
  ['250310001532', 'closed', '咨询停暖日期', '030101', '', '', 250],
]
const ticket = ([no, state, title, category, lead, street, days]) => ({
  id: `t-${no}`,
  no,
  state,
  channel: 'phone',
  type: null,
  category,
  street,
  lead,
  assist: [],
  urgency: 'L',
  title,
  content: null,
  caller: '12000000001',
  secrecy: 'normal',
  calls: [],
  created_at: at(days * 86_400),
  accepted_at: null,
  due_at: null,
  closed_at: null,
})
/** A draft that has a number and nothing else. */
const EMPTY = {
  no: '261126001874',
  state: 'draft',
  title: null,
  category: null,
  street: null,
  lead: null,
  content: null,
  version: 2,
}
const call = (n) => ({
  id: `c-1-1-${n}`,
  sip_call_id: `x${n}`,
  direction: 'inbound',
  caller: `1200000${String(n).padStart(4, '0')}`,
  called: '12341',
  trunk: 'demo',
  state: 'ended',
  queue: 'main',
  agent: '8001',
  started_at: at(3000 + n * 700),
  answered_at: at(3000 + n * 700 - 6),
  ended_at: at(3000 + n * 700 - 6 - 190 - n * 11),
  end_reason: 'caller_hung_up',
  tickets: [],
  ticket_nos: [`26112600${1800 + n}`],
  recording: null,
})

const EXPECTED = [2, 2, 1, 1, 1, 1, 1, 1, 1, 2, 3, 5, 8, 14, 26, 40, 58, 72, 84, 90, 88, 80, 72, 64, 52, 46, 44, 52, 62, 66, 68, 64, 60, 54, 48, 42, 36, 33, 30, 26, 22, 19, 16, 13, 10, 8, 6, 4] // prettier-ignore
const STREETS = [8, 17, 31, 22, 14, 12, 9, 5, 7, 6, 11, 19, 18, 46, 27]
const CODES = [
  '001',
  '003',
  '007',
  '009',
  '010',
  '011',
  '012',
  '013',
  '014',
  '015',
  '016',
  '017',
  '018',
  '019',
  '020',
]
/** A day on the floor; each answer has other topics, as a hall would. */
function floor(colleagues) {
  const day = iso(Date.now()).slice(0, 10)
  const begun = Math.floor((Date.parse(iso(Date.now())) - Date.parse(`${day}T00:00:00+08:00`)) / 1_800_000)
  const fared = (calls, gone = Math.round(calls / 24)) => ({
    calls,
    queued: Math.round(calls * 0.97),
    answered: Math.round(calls * 0.97) - gone,
    within: Math.round(calls * 0.91) - gone,
    abandoned: gone,
  })
  const came = (n) => Math.round(EXPECTED[n] * (n > 9 && n < 16 ? 1.4 : 1.02))
  const sum = EXPECTED.map((_, n) => (n <= begun ? came(n) : 0)).reduce((a, b) => a + b, 0)
  return {
    day,
    within_ms: 15_000,
    today: fared(sum),
    rolling: fared(1597),
    half_hours: EXPECTED.map((forecast, n) => ({
      at: iso(Date.parse(`${day}T00:00:00+08:00`) + n * 1_800_000),
      fared: n <= begun ? fared(came(n)) : null,
      forecast,
    })),
    queues: [
      { queue: 'main', fared: fared(sum - 40) },
      { queue: 'elderly', fared: fared(33) },
    ],
    streets: CODES.map((code, n) => ({ street: `110102${code}`, tickets: STREETS[n] })),
    topics: colleagues
      .filter((one) => one.state === 'on_call')
      .map(({ agent }, n) => ({
        agent,
        call: `c-1-1-${n}`,
        category: ['030101', '020202', '040101', '050101'][(n + Math.floor(Date.now() / 10_000)) % 4],
      })),
  }
}

/** Starts on a free port. `say(event, data)` goes to every page; `state` is the snapshot; `asked` holds the commands. */
export async function fake(dist) {
  const self = {
    roles: ['agent'],
    username: '8001',
    display: '王敏',
    state: {
      state: 'ready',
      since: at(64),
      device: 'browser',
      break_pending: null,
      calls: [],
      offer: null,
      queues: [],
      colleagues: [],
    },
    asked: [],
    /** What was saved, by the name it was saved under. */
    drafts: {},
    /** Answers a command: an object of the answer's fields; undefined: `ok`. */
    answer: () => undefined,
    media: null,
    up: true,
  }
  let signedIn = false
  let seq = 0
  const pages = new Set()
  const json = (res, status, body) => {
    res.writeHead(status, { 'content-type': 'application/json' })
    res.end(JSON.stringify(body))
  }
  const server = createServer(async (req, res) => {
    const url = new URL(req.url, 'http://x')
    const path = url.pathname
    if (path === '/api/v1/session') {
      if (req.method === 'POST') signedIn = true
      if (req.method === 'DELETE') signedIn = false
      return signedIn
        ? json(res, 200, { username: self.username, display: self.display, roles: self.roles, csrf: '' })
        : json(res, 401, { status: 401, title: 'sign in' })
    }
    if (path === '/api/v1/about') return json(res, 200, { demo: true })
    if (path === '/api/v1/tickets') {
      const known = url.searchParams.get('caller') === '12000000001'
      return json(res, 200, { items: known ? TICKETS.map(ticket) : [], next: null })
    }
    const one = /^\/api\/v1\/tickets\/([^/]+)$/.exec(path)
    if (one) {
      const draft = self.drafts[one[1]] ?? { ...ticket(TICKETS[0]), id: one[1], calls: [one[1]], ...EMPTY }
      if (req.method === 'PATCH') {
        let text = ''
        for await (const part of req) text += part
        const { version: _, contact: __, reason: ___, ...fields } = JSON.parse(text)
        self.drafts[one[1]] = { ...draft, ...fields, version: draft.version + 2 }
      }
      return json(res, 200, self.drafts[one[1]] ?? draft)
    }
    if (path === '/api/v1/transfer-targets') return json(res, 200, { services: [], duty: [] })
    if (path === '/api/v1/floor') return json(res, 200, floor(self.state.colleagues))
    if (path === '/api/v1/calls') return json(res, 200, { items: [1, 2, 3, 4, 5, 6].map(call), next: null })
    if (path.startsWith('/api/')) return json(res, 200, { items: [], next: null })
    const file = normalize(path === '/' ? '/index.html' : path)
    try {
      const body = await readFile(join(dist, file))
      res.writeHead(200, {
        'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
        'content-security-policy': POLICY,
      })
      res.end(body)
    } catch {
      res.writeHead(404).end()
    }
  })
  const sockets = new WebSocketServer({ server, path: '/cti/v1', handleProtocols: () => 'hotline.cti.v1' })
  let session = 0
  sockets.on('connection', (socket) => {
    if (!self.up) return socket.terminate()
    const mine = (self.session = ++session)
    pages.add(socket)
    socket.on('close', () => pages.delete(socket))
    const send = (frame) => socket.send(JSON.stringify({ at: at(0), ...frame }))
    const hello = {
      protocol: 1,
      heartbeat_ms: 5000,
      agent: self.username,
      display: self.display,
      lead: self.roles.includes('lead'),
      session: mine,
      acting: true,
      resume: seq,
      resumed: false,
    }
    send({ event: 'hello', data: hello })
    send({ event: 'snapshot', seq, data: { agent: self.username, ...self.state } })
    const beat = setInterval(() => send({ event: 'heartbeat' }), 5000)
    socket.on('close', () => clearInterval(beat))
    socket.on('message', async (text) => {
      const asked = JSON.parse(String(text))
      self.asked.push({ ...asked, after: mine })
      const answer = { re: asked.id, ok: true, ...self.answer(asked) }
      socket.send(JSON.stringify(answer))
      if (asked.cmd === 'media.offer' && self.media) {
        const sdp = await self.media(asked.sdp)
        self.say('media.answer', { session: mine, sdp })
      }
    })
  })
  self.say = (event, data) => {
    seq++
    for (const socket of pages) socket.send(JSON.stringify({ event, seq, at: at(0), data }))
  }
  /** As if the line had broken: everybody begins anew with the snapshot. */
  self.cut = () => pages.forEach((socket) => socket.terminate())
  self.show = async (state) => {
    Object.assign(
      self.state,
      { calls: [], offer: null, break_pending: null, reason: undefined, wrap_up_until: undefined },
      state,
    )
    self.cut()
  }
  self.forget = () => (signedIn = false)
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  self.address = `http://127.0.0.1:${server.address().port}/`
  self.close = () => (sockets.close(), server.closeAllConnections(), server.close())
  return self
}

/** The other end of the page's audio: a second page that answers offers with a tone. Returns the answerer. */
export async function peer(context, address) {
  const page = await context.newPage()
  await page.goto(`${address}favicon.svg`)
  await page.evaluate(() => {
    window.answer = async (sdp) => {
      // Being given a microphone, a page tells its true addresses.
      await navigator.mediaDevices.getUserMedia({ audio: true })
      const pc = new RTCPeerConnection()
      window.pcs = [...(window.pcs ?? []), pc]
      await pc.setRemoteDescription({ type: 'offer', sdp })
      const sound = new AudioContext()
      const to = sound.createMediaStreamDestination()
      const tone = sound.createOscillator()
      tone.connect(to)
      tone.start()
      pc.addTrack(to.stream.getAudioTracks()[0], to.stream)
      await pc.setLocalDescription(await pc.createAnswer())
      while (pc.iceGatheringState !== 'complete') await new Promise((done) => setTimeout(done, 20))
      return pc.localDescription.sdp
    }
  })
  return (sdp) => page.evaluate((s) => window.answer(s), sdp)
}
