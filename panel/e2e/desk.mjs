// One agent's desk in a browser of its own, by keyboard alone, told what to do by whoever started it.
//
// node e2e/desk.mjs ADDRESS MICROPHONE.WAV; CHROMIUM names the browser. A line of JSON on stdin for each thing, `{"n": 1, "do": …}`,
// one on stdout when it is so, `{"did": 1, …}`; `{"did": 1, "failed": why}` when it is not.
import { createInterface } from 'node:readline'
import { chromium } from 'playwright-core'
import { FAKE_MICROPHONE, keepStreams, listen } from './ears.mjs'
import { face, signIn } from './stage.mjs'

const [address, microphone] = process.argv.slice(2)
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: FAKE_MICROPHONE(microphone),
})
const context = await browser.newContext({
  viewport: { width: 1366, height: 768 },
  locale: 'zh-CN',
  permissions: ['microphone'],
})
const page = await context.newPage()
const errors = []
page.on('pageerror', (e) => errors.push(String(e)))
page.setDefaultTimeout(20_000)
/** What the page and the server last said to each other: told when something fails. */
const frames = []
page.on('websocket', (socket) => {
  const keep = (way) => (frame) => {
    if (/heartbeat|media\.|"re":/.test(frame.payload) && !/"ok":false/.test(frame.payload)) return
    frames.push(`${new Date().toISOString().slice(14, 23)} ${way} ${String(frame.payload).slice(0, 300)}`)
    frames.splice(0, frames.length - 16)
  }
  socket.on('framereceived', keep('<'))
  socket.on('framesent', keep('>'))
  socket.on('close', () => keep('|')({ payload: 'closed' }))
})
await page.addInitScript(keepStreams)
const bar = page.locator('header.phone')
const is = () => bar.getAttribute('data-face')

const can = {
  /** Signs in and is ready for calls. */
  async ready({ user }) {
    await signIn(page, address, user, '?audio=raw#/work')
    await face(page, 'offline')
    await page.keyboard.press('Alt+s')
    await face(page, 'not_ready', 'ready')
    await page.waitForTimeout(500)
    if ((await is()) !== 'ready') await page.keyboard.press('Alt+s')
    await face(page, 'ready')
  },
  async press({ keys }) {
    for (const key of keys) await page.keyboard.press(key)
  },
  async type({ into, text }) {
    if (into) await page.locator(into).focus()
    await page.keyboard.type(text)
  },
  /** Waits for one of these states of the bar. */
  async face({ names, ms = 20_000 }) {
    page.setDefaultTimeout(ms)
    await face(page, ...names).finally(() => page.setDefaultTimeout(20_000))
    return { face: await is() }
  },
  /** Waits for any other state than this one. */
  async leaves({ name, ms = 20_000 }) {
    await page.locator(`header.phone:not([data-face=${name}])`).waitFor({ timeout: ms })
    return { face: await is() }
  },
  async wait({ at, ms = 20_000 }) {
    await page.locator(at).first().waitFor({ timeout: ms })
  },
  async check({ at }) {
    await page.locator(at).focus()
    await page.keyboard.press('Space')
  },
  async hear({ seconds }) {
    return { heard: await page.evaluate(listen, seconds) }
  },
  async reload() {
    await page.reload()
  },
  /** What stands on the desk. */
  async look() {
    const words = page.locator('#words')
    return {
      face: await is(),
      bar: await bar.innerText(),
      page: await page.locator('main').innerText(),
      words: (await words.count()) ? await words.inputValue() : null,
    }
  },
}

const tell = (what) => console.log(JSON.stringify(what))
let last = Promise.resolve()
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const asked = JSON.parse(line)
  last = last
    .then(() => can[asked.do](asked))
    .then(
      (told) => tell({ did: asked.n, ...told, ...(errors.length ? { failed: errors } : {}) }),
      (e) => tell({ did: asked.n, failed: String(e), frames }),
    )
})
await new Promise((done) => lines.on('close', done))
await last
await browser.close()
