// Draws every page and every state of the bar against the stand-in, into a folder, to be held beside the designs.
//
// node e2e/pictures.mjs FOLDER; CHROMIUM names the browser. Also walks one whole call by keyboard; anything missing is an error.
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
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

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** What axe-core finds, WCAG 2.0 to 2.2 A and AA. */
async function judge(page, name) {
  // As the browser's own tools would: the page's policy lets nothing in from outside.
  await page.evaluate(axe)
  const found = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }),
  )
  for (const v of found.violations)
    errors.push(
      `axe, ${name}: ${v.id} (${v.impact}) ${v.nodes
        .slice(0, 3)
        .map((n) => n.html.slice(0, 140))
        .join(' | ')}`,
    )
}
/** Kilobytes of script and style a page has loaded, as they are sent. */
async function weight(page) {
  const names = await page.evaluate(() =>
    performance.getEntriesByType('resource').map((r) => new URL(r.name).pathname),
  )
  const files = [...new Set(names)].filter((n) => n.startsWith('/assets/'))
  const bytes = files.map((n) => gzipSync(readFileSync(new URL(`../dist${n}`, import.meta.url))).length)
  return Math.round(bytes.reduce((a, b) => a + b, 0) / 102.4) / 10
}

async function open(size, media = true) {
  const context = await browser.newContext({
    viewport: size,
    locale: 'zh-CN',
    permissions: media ? ['microphone'] : [],
  })
  const page = await context.newPage()
  page.on('pageerror', (e) => errors.push(String(e)))
  page.on(
    'console',
    (m) =>
      m.type() === 'error' && /Content Security Policy|Refused to/.test(m.text()) && errors.push(m.text()),
  )
  page.setDefaultTimeout(10_000)
  server.media = media ? await peer(context, server.address) : null
  return page
}
async function signIn(page) {
  server.forget()
  await page.goto(server.address)
  await page.fill('#username', server.username)
  await page.fill('#password', 'demo-12341')
  await page.keyboard.press('Enter')
  await page.locator('header.phone').waitFor()
}
const face = (page, name) =>
  page
    .locator(`header.phone[data-face=${name}]`)
    .waitFor()
    .catch(async () => {
      const is = await page.locator('header.phone').evaluate((bar) => [bar.dataset.face, bar.innerText])
      throw new Error(`not ${name} but ${is}`)
    })
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
      later(
        'call.answered',
        card({
          arrived_at: at(9),
          queued_at: at(8),
          answered_at: at(0),
          ticket_no: '261126001874',
          ticket_code: '408215',
        }),
      )
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
  await judge(page, 'work, ready')
  console.log(JSON.stringify({ work_kb: await weight(page) }))
  const offer = (more = {}) => ({
    ...card({ state: 'offered', answered_at: null, arrived_at: at(6), queued_at: at(4.1), ...more }),
    answer_by: at(-7.6),
    auto_answer_at: null,
  })
  server.say('agent.state', { agent: '8001', since: at(0), state: 'offered' })
  server.say('call.offered', offer())
  await face(page, 'offered_ring')
  await shot(page, 'work-offered')
  const ringing = judge(page, 'work, offered')
  await ringing
  await page.keyboard.press('a')
  await face(page, 'on_call')
  await page.locator('#words').click()
  await page.keyboard.type(
    '我住白纸坊建功南里，昨天供暖了，屋里才15度。物业让找热力，热力电话打不通。我78了，冷得很，快让人上门量一量，暖气不热。',
  )
  await page.waitForTimeout(1200)
  await shot(page, 'work-on_call')
  await page.keyboard.press('Alt+x')
  await page.keyboard.press('Alt+x')
  await face(page, 'wrap_up')
  await shot(page, 'work-wrap_up')
  await page.locator('input[name=secrecy][value=normal]').focus()
  await page.keyboard.press('Space')
  await page.keyboard.press('Control+Enter')
  await face(page, 'ready')
  if (!Object.values(server.drafts).some((one) => one.state === 'accepted'))
    errors.push('no ticket was saved')
  const did = server.asked.map((a) => a.cmd).filter((c) => !c.startsWith('media.'))
  console.log(JSON.stringify({ did, media: server.asked.filter((a) => a.cmd === 'media.probe').at(-1) }))

  server.answer = () => undefined
  // Every state of the bar, from a snapshot or by what happens in it.
  const bar = page.locator('header.phone')
  let n = 100
  const talk = (more) => ({
    state: 'on_call',
    since: at(192),
    calls: [card({ call: `c-1-1-${++n}`, ticket_no: '261126001874', ticket_code: '408215', ...more })],
  })
  const press = async (keys) => {
    await page.locator('main').focus()
    await page.keyboard.press(keys)
  }
  const states = {
    wrap_up: [{ state: 'wrap_up', since: at(34), wrap_up_until: at(-56) }],
    not_ready: [{ state: 'not_ready', reason: 'meal', since: at(740) }],
    break_asked: [
      { state: 'ready', since: at(64), break_pending: 'meal' },
      'ready',
      () => server.say('agent.break', { granted: false, reason: 'meal', ahead: 1 }),
    ],
    offered_auto: [
      {
        state: 'offered',
        since: at(0),
        calls: [offer()],
        offer: { call: 'c-1-1-7', answer_by: at(-2), auto_answer_at: at(-1) },
      },
    ],
    on_call: [talk()],
    muted: [
      talk(),
      'muted',
      async () => {
        await press('m')
        await press('g')
      },
    ],
    held: [talk(), 'held', () => server.say('call.held', { call: server.state.calls[0].call })],
    consult: [
      talk(),
      'consult',
      async () => {
        server.say('call.held', { call: server.state.calls[0].call })
        await press('c')
        await page.fill('#target', '8022')
        await page.keyboard.press('Enter')
      },
    ],
    conference: [talk({ state: 'conference', others: ['12000000001', '110'] })],
    monitored: [
      talk(),
      'on_call',
      () => server.say('call.monitored', { call: server.state.calls[0].call, by: 'lead', how: 'whisper' }),
    ],
    crisis: [
      talk(),
      'crisis',
      async () => {
        await press('F9')
        server.say('call.monitored', { call: server.state.calls[0].call, by: 'lead', how: 'listen' })
      },
    ],
    recording_paused: [talk(), 'on_call', () => press('r')],
    not_responding: [{ state: 'not_responding', since: at(4) }],
    taken_over: [
      { state: 'ready', since: at(4) },
      'taken_over',
      () => server.say('session.taken_over', { session: 0 }),
    ],
  }
  for (const [name, [state, now = name, then]] of Object.entries(states)) {
    if (only && only !== name) continue
    const before = server.session
    await server.show(state)
    // What is said to nobody is not heard.
    while (server.session === before) await page.waitForTimeout(20)
    await page.waitForTimeout(500)
    if (name === 'on_call') await page.waitForTimeout(3000)
    await then?.()
    await face(page, now)
    await shot(page, `bar-${name}`, bar)
    await judge(page, `bar, ${name}`)
    if (name === 'muted') await press('m')
    if (name === 'on_call') {
      await shot(page, 'work-talking')
      await judge(page, 'work, talking')
      await page.evaluate(() => (document.documentElement.dataset.theme = 'dark'))
      await shot(page, 'work-talking-dark')
      await judge(page, 'work, talking, dark')
      await page.evaluate(() => delete document.documentElement.dataset.theme)
      await press('t')
      await shot(page, 'sheet-transfer')
      await page.keyboard.press('Escape')
      await press('Shift+Slash')
      await shot(page, 'sheet-keys')
      await judge(page, 'keys')
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'English' }).click()
      await shot(page, 'work-talking-en')
      await page.getByRole('button', { name: '中文' }).click()
      // A reload in a call: how long until the page says that sound passes again.
      const begun = Date.now()
      const offers = server.asked.filter((a) => a.cmd === 'media.offer').length
      await page.reload()
      await face(page, 'on_call')
      const shown = Date.now() - begun
      while (!server.asked.slice().some((a) => a.cmd === 'media.probe' && a.after === server.session))
        await page.waitForTimeout(10)
      const again = server.asked.filter((a) => a.cmd === 'media.offer').length - offers
      console.log(
        JSON.stringify({ reload: { shown_ms: shown, heard_ms: Date.now() - begun, offers: again } }),
      )
    }
  }
  // The line is gone: with a call the sound goes on, without one everything waits.
  await server.show(talk())
  await page.waitForTimeout(2500)
  server.up = false
  server.cut()
  await face(page, 'line_lost')
  await page.waitForTimeout(2500)
  await shot(page, 'bar-line_lost', bar)
  server.up = true
  await face(page, 'on_call')
  await server.show({ state: 'ready', since: at(9) })
  await face(page, 'ready')
  server.up = false
  server.cut()
  await face(page, 'both_lost')
  await page.waitForTimeout(1500)
  await shot(page, 'bar-both_lost', bar)
  server.up = true
  await page.goto(`${server.address}#/people`)
  await page.locator('table').first().waitFor()
  await shot(page, 'people-agent')
  await page.context().close()

  // No microphone: the browser gives none.
  const deaf = await browser.newContext({ viewport: { width: 1366, height: 768 }, locale: 'zh-CN' })
  await deaf.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))
  })
  const silent = await deaf.newPage()
  await server.show({ state: 'ready', since: at(9) })
  await signIn(silent)
  await face(silent, 'no_microphone')
  await shot(silent, 'bar-no_microphone', silent.locator('header.phone'))
  await deaf.close()

  Object.assign(server, { roles: ['lead'], username: 'lead', display: '赵班长' })
  const wall = await open({ width: 1920, height: 1080 })
  await server.show({ state: 'ready', since: at(9), colleagues: COLLEAGUES, queues: QUEUES })
  await signIn(wall)
  await wall.locator('.ag').first().waitFor()
  server.say('alarm', {
    kind: 'not_responding',
    call: null,
    agent: '8001',
    note: '来电已转至其他坐席，41 秒未恢复',
  })
  server.say('alarm', { kind: 'assist', call: 'c-1-1-4', agent: '8004', note: '来电人情绪激动' })
  server.say('alarm', { kind: 'unstaffed', call: null, agent: null, note: '方言与外语：本时段无人在岗' })
  await shot(wall, 'wall-1920')
  await judge(wall, 'wall')
  console.log(JSON.stringify({ wall_kb: await weight(wall) }))
  await wall.locator('.ag').nth(3).focus()
  await wall.keyboard.press('l')
  await wall.getByText('正在监听').waitFor()
  await shot(wall, 'wall-listening')
  await wall.setViewportSize({ width: 1366, height: 768 })
  await shot(wall, 'wall-1366')
  await wall.goto(`${server.address}#/wall?tv`)
  await wall.setViewportSize({ width: 1920, height: 1080 })
  await shot(wall, 'wall-tv')
  await wall.goto(`${server.address}#/people`)
  await wall.setViewportSize({ width: 1366, height: 768 })
  await shot(wall, 'people-lead')
  await judge(wall, 'people')

  // All states of the bar on one picture, as the design shows them.
  const sheet = await browser.newPage({ viewport: { width: 1302, height: 400 } })
  const strip = [
    'not_ready',
    'break_asked',
    'offered_auto',
    'on_call',
    'muted',
    'held',
    'consult',
    'conference',
    'crisis',
    'monitored',
    'recording_paused',
    'wrap_up',
    'not_responding',
    'line_lost',
    'no_microphone',
    'both_lost',
    'taken_over',
  ]
  const image = (name) =>
    `<img style="display:block;margin-bottom:5px" src="data:image/png;base64,${readFileSync(`${folder}/bar-${name}.png`, 'base64')}">`
  if (!only) {
    await sheet.setContent(`<body style="margin:0;background:#eef1f3">${strip.map(image).join('')}`)
    await sheet.waitForFunction(() => [...document.images].every((i) => i.complete))
    await sheet.screenshot({ path: `${folder}/softphone-states.png`, fullPage: true })
  }
} finally {
  await browser.close()
  server.close()
}
if (errors.length) {
  console.error(errors.join('\n'))
  process.exitCode = 1
}
