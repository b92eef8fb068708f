// The budgets of the pages: what each loads, how soon it is there, what a key, an offer and a busy wall cost. Prints them; a size that
// is over its budget is an error, times are only told.
//
// node e2e/budgets.mjs, after npm run build; CHROMIUM names the browser. The server is the stand-in: what is measured is the page.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { chromium } from 'playwright-core'
import { at, card, fake, peer } from './fake.mjs'

const server = await fake(new URL('../dist', import.meta.url).pathname)
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    '--autoplay-policy=no-user-gesture-required',
    '--enable-precise-memory-info',
  ],
})
const rows = []
const over = []
/** `strict`: a size, the same on every machine. */
function tell(what, value, budget, unit, strict = false) {
  rows.push({ what, value: Math.round(value * 10) / 10, budget, unit, met: value <= budget })
  if (strict && value > budget) over.push(what)
}
const share = (list, p) =>
  list.sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(p * list.length))] ?? NaN

/** Kilobytes of everything a page has loaded, as it is sent. */
async function weight(page) {
  const names = await page.evaluate(() =>
    performance.getEntriesByType('resource').map((r) => new URL(r.name).pathname),
  )
  const files = ['/index.html', ...new Set(names)].filter((n) => /^\/(assets\/|index)/.test(n))
  const sent = (n) => gzipSync(readFileSync(new URL(`../dist${n}`, import.meta.url))).length
  return files.map(sent).reduce((a, b) => a + b, 0) / 1024
}
/** The first paint of the page's own content; waits for it. */
async function painted(page) {
  const entry = () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime
  return (await page.waitForFunction(entry)).jsonValue()
}
async function open(size) {
  const context = await browser.newContext({ viewport: size, locale: 'zh-CN', permissions: ['microphone'] })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  return page
}
async function signIn(page) {
  await page.goto(server.address)
  await page.locator('#username').waitFor()
  await page.fill('#username', server.username)
  await page.fill('#password', 'demo-12341')
  await page.keyboard.press('Enter')
}

try {
  const page = await open({ width: 1366, height: 768 })
  server.media = await peer(page.context(), server.address)
  // Behind another page frames are drawn once a second, or never.
  await page.bringToFront()
  server.forget()
  await page.goto(server.address)
  await page.locator('#username').waitFor()
  tell('shell and sign-in', await weight(page), 110, 'KB gz', true)
  tell('sign-in, first paint', await painted(page), 1000, 'ms')
  await signIn(page)
  await page.locator('header.phone').waitFor()
  // A first load of the desk: nothing in the cache, the session is there.
  const cdp = await page.context().newCDPSession(page)
  // By the page's own clock: from the frame's arrival to the frame drawn with the card in it.
  await page.addInitScript(() => {
    window.shows = []
    const Native = window.WebSocket
    window.WebSocket = class extends Native {
      constructor(...how) {
        super(...how)
        this.addEventListener('message', ({ data, timeStamp }) => {
          if (!String(data).includes('"call.offered"')) return
          const look = () =>
            document.querySelector('.pop') && document.querySelector('header.phone[data-face=offered_ring]')
              ? requestAnimationFrame(() => window.shows.push(performance.now() - timeStamp))
              : setTimeout(look, 1)
          look()
        })
      }
    }
  })
  await cdp.send('Network.clearBrowserCache')
  await page.goto(`${server.address}#/work`)
  await page.reload()
  await page.locator('header.phone[data-face=ready]').waitFor()
  const ready = await page.evaluate(() => performance.now())
  tell('/work, first load', await weight(page), 300, 'KB gz', true)
  tell('/work, first paint', await painted(page), 2000, 'ms')
  tell('/work, the bar can be used', ready, 2000, 'ms')

  // From the event to the card on the page.
  await page.waitForTimeout(1500)
  const shows = []
  for (let n = 0; n < 12; n++) {
    const call = card({ call: `c-1-2-${n}`, state: 'offered', answered_at: null, queued_at: at(4) })
    server.say('agent.state', { agent: '8001', since: at(0), state: 'offered' })
    server.say('call.offered', { ...call, answer_by: at(-7.6), auto_answer_at: null })
    await page.locator('header.phone[data-face=offered_ring]').waitFor()
    await page.waitForFunction((known) => window.shows.length > known, n)
    server.say('call.rescinded', { call: call.call })
    server.say('agent.state', { agent: '8001', since: at(0), state: 'ready' })
    await page.locator('header.phone[data-face=ready]').waitFor()
  }
  shows.push(...(await page.evaluate(() => window.shows)))
  tell('offer → ring and card, median', share(shows, 0.5), 100, 'ms')
  tell('offer → ring and card, p95', share(shows, 0.95), 100, 'ms')

  // From a key to its paint, while a call is on.
  await server.show({ state: 'on_call', since: at(30), calls: [card({ call: 'c-1-3-1' })] })
  await page.locator('#words').waitFor()
  await page.locator('#words').click()
  await page.evaluate(() => {
    window.keys = []
    document
      .querySelector('#words')
      .addEventListener('input', (e) =>
        requestAnimationFrame(() => setTimeout(() => window.keys.push(performance.now() - e.timeStamp))),
      )
  })
  await page.keyboard.type(
    '我住白纸坊建功南里，昨天供暖了，屋里才15度。物业让找热力，热力电话打不通。'.repeat(3),
    { delay: 25 },
  )
  tell('key → paint in the form, p95', share(await page.evaluate(() => window.keys), 0.95), 50, 'ms')
  await page.context().close()

  // A wall of 200 with ten events a second.
  Object.assign(server, { roles: ['lead'], username: 'lead', display: '赵班长', media: null })
  const STATES = ['on_call', 'ready', 'wrap_up', 'offered', 'not_ready']
  const colleague = (n, k) => ({
    agent: String(8000 + n),
    state: STATES[(n + k) % STATES.length],
    since: at(n),
    device: 'browser',
    call: null,
    ...((n + k) % STATES.length === 4 ? { reason: 'rest' } : {}),
  })
  const colleagues = Array.from({ length: 200 }, (_, n) => colleague(n, 0))
  await server.show({ state: 'ready', since: at(9), colleagues, queues: [] })
  server.forget()
  const wall = await open({ width: 1920, height: 1080 })
  await signIn(wall)
  await wall.locator('.ag').nth(150).waitFor()
  tell('/wall, first load', await weight(wall), 320, 'KB gz', true)
  const meter = await wall.context().newCDPSession(wall)
  // The thread's own time: what others on the machine take is not the page's.
  await meter.send('Performance.enable', { timeDomain: 'threadTicks' })
  await meter.send('HeapProfiler.enable')
  const metrics = async () =>
    Object.fromEntries((await meter.send('Performance.getMetrics')).metrics.map((m) => [m.name, m.value]))
  const heap = async () => {
    await meter.send('HeapProfiler.collectGarbage')
    return (await metrics()).JSHeapUsedSize / 1048576
  }
  let k = 0
  const events = async (seconds) => {
    const until = Date.now() + seconds * 1000
    while (Date.now() < until) {
      server.say('agent.state', colleague(++k % 200, k))
      await new Promise((done) => setTimeout(done, 100))
    }
  }
  await events(3)
  const [before, small] = [await metrics(), await heap()]
  const begun = Date.now()
  await events(20)
  const busy = (await metrics()).TaskDuration - before.TaskDuration
  tell('/wall, 200 tiles, 10 events/s: its thread', (busy * 100_000) / (Date.now() - begun), 8, '% of a core')
  tell('/wall, heap', small, 64, 'MB')
  tell('/wall, heap grown in 20 s of events', (await heap()) - small, 1, 'MB')
} finally {
  await browser.close()
  server.close()
}
for (const { what, value, budget, unit, met } of rows)
  console.log(
    `${met ? ' ' : '!'} ${what.padEnd(46)} ${String(value).padStart(8)} ${unit}  (budget ${budget})`,
  )
if (over.length) {
  console.error(`over budget: ${over.join(', ')}`)
  process.exitCode = 1
}
