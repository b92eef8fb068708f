// Draws every page and every state of the bar against the stand-in, into a folder, to be held beside the designs.
//
// node e2e/pictures.mjs FOLDER; CHROMIUM names the browser. Also walks one whole call by keyboard; anything missing is an error.
import { mkdirSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { at, card, fake, peer } from './fake.mjs'

const folder = process.argv[2] ?? '/tmp/panel-pictures'
const only = process.argv[3]
mkdirSync(folder, { recursive: true })
const server = await fake(new URL('../dist', import.meta.url).pathname)
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    '--autoplay-policy=no-user-gesture-required',
  ],
})
const errors = []
const QUEUES = [
  ['main', 2, 9, 24, 3, 14, 3],
  ['elderly', 1, 6, 4, 1, 2, 0],
  ['business', 0, null, 4, 2, 1, 0],
  ['dialect', 0, null, 2, 1, 0, 0],
].map(([queue, waiting, since, staffed, free, talking, wrap_up]) => ({
  queue,
  waiting,
  longest_since: since === null ? null : at(since),
  staffed,
  free,
  talking,
  wrap_up,
  callbacks: queue === 'main' ? 3 : 0,
}))
const colleague = (n, state, seconds, more = {}) => ({
  agent: String(8000 + n),
  state,
  since: at(seconds),
  device: 'browser',
  call: state === 'on_call' ? `c-1-1-${n}` : null,
  ...more,
})
const COLLEAGUES = [
  colleague(1, 'not_responding', 41),
  colleague(2, 'on_call', 128),
  colleague(3, 'offered', 3),
  colleague(4, 'on_call', 611),
  ...Array.from({ length: 14 }, (_, n) => colleague(5 + n, 'on_call', 402 - 28 * n)),
  colleague(19, 'wrap_up', 12, { wrap_up_until: at(-78) }),
  colleague(20, 'wrap_up', 38, { wrap_up_until: at(-52) }),
  colleague(21, 'wrap_up', 111, { wrap_up_until: at(-9) }),
  colleague(22, 'ready', 4),
  colleague(23, 'not_ready', 312, { reason: 'meal' }),
  colleague(24, 'not_ready', 705, { reason: 'rest' }),
]

async function open(size, media = true) {
  const context = await browser.newContext({ viewport: size, locale: 'zh-CN', permissions: media ? ['microphone'] : [] })
  const page = await context.newPage()
  page.on('pageerror', (e) => errors.push(String(e)))
  page.setDefaultTimeout(10_000)
  server.media = media ? await peer(context, server.address) : null
  return page
}
async function signIn(page) {
  await page.goto(server.address)
  await page.fill('#username', server.username)
  await page.fill('#password', 'demo-12341')
  await page.keyboard.press('Enter')
  await page.locator('header.phone').waitFor()
}
const face = (page, name) => page.locator(`header.phone[data-face=${name}]`).waitFor()
const shot = async (page, name, what = page) => {
  await page.waitForTimeout(350)
  await what.screenshot({ path: `${folder}/${name}.png` })
}

try {
  const page = await open({ width: 1366, height: 768 })
  Object.assign(server.state, { state: 'offline', queues: QUEUES, colleagues: COLLEAGUES })
  await signIn(page)
  await face(page, 'offline')
  await shot(page, 'work-offline')

  // One call by keyboard alone: log in, answer, hang up, finish.
  server.answer = ({ cmd }) => {
    const now = { agent: '8001', since: at(0) }
    const later = (event, data) => setTimeout(() => server.say(event, data), 20)
    if (cmd === 'agent.login') later('agent.state', { ...now, state: 'ready' })
    if (cmd === 'call.answer') {
      later('call.answered', card({ arrived_at: at(9), queued_at: at(8), answered_at: at(0), ticket_no: '261126001874', ticket_code: '408215' }))
      later('agent.state', { ...now, state: 'on_call' })
    }
    if (cmd === 'call.hangup') {
      later('call.ended', { call: 'c-1-1-7', reason: 'agent_hung_up', wrap_up_until: at(-90) })
      later('agent.state', { ...now, state: 'wrap_up', wrap_up_until: at(-90) })
    }
    if (cmd === 'wrapup.finish') later('agent.state', { ...now, state: 'ready' })
  }
  await page.locator('main').focus()
  await page.keyboard.press('s')
  await face(page, 'ready')
  await page.waitForFunction(() => document.querySelector('.tag.ok'), null, { timeout: 8000 })
  await page.waitForTimeout(2500)
  await shot(page, 'work-ready')
  const offer = (more = {}) => ({ ...card({ state: 'offered', answered_at: null, arrived_at: at(6), queued_at: at(4.1), ...more }), answer_by: at(-7.6), auto_answer_at: null })
  server.say('agent.state', { agent: '8001', since: at(0), state: 'offered' })
  server.say('call.offered', offer())
  await face(page, 'offered_ring')
  await shot(page, 'work-offered')
  await page.keyboard.press('a')
  await face(page, 'on_call')
  await page.locator('#words').click()
  await page.keyboard.type('我住白纸坊建功南里，昨天供暖了，屋里才15度。物业让找热力，热力电话打不通。我78了，冷得很，快让人上门量一量，暖气不热。')
  await page.waitForTimeout(1200)
  await shot(page, 'work-on_call')
  await page.keyboard.press('Alt+x')
  await page.keyboard.press('Alt+x')
  await face(page, 'wrap_up')
  await shot(page, 'work-wrap_up')
  await page.keyboard.press('Control+Enter')
  await face(page, 'ready')
  const did = server.asked.map((a) => a.cmd).filter((c) => !c.startsWith('media.'))
  console.log(JSON.stringify({ did, media: server.asked.filter((a) => a.cmd === 'media.probe').at(-1) }))

  server.answer = () => undefined
  // BEGIN states
  // END states
  await page.context().close()
} finally {
  await browser.close()
  server.close()
}
if (errors.length) {
  console.error(errors.join('\n'))
  process.exitCode = 1
}
