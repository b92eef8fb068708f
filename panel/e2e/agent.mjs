// An agent at work in a real browser, by keyboard alone: log in, ready, answer, be reloaded in the middle, hang up, finish.
//
// node e2e/agent.mjs ADDRESS MICROPHONE.WAV USER RELOADS [restart]; with "restart" the server goes away and comes back first. CHROMIUM names the browser. Says what it does line by line as JSON, the last
// line with what the page heard: 16-bit samples at 8 kHz in base64, taken from the stream that its loudspeaker plays.
import { chromium } from 'playwright-core'
import { FAKE_MICROPHONE, keepStreams, listen } from './ears.mjs'

const [address, microphone, user, reloads, restart] = process.argv.slice(2)
const say = (what) => console.log(JSON.stringify(what))
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: FAKE_MICROPHONE(microphone),
})
try {
  const context = await browser.newContext({
    viewport: { width: 1366, height: 768 },
    locale: 'zh-CN',
    permissions: ['microphone'],
  })
  const page = await context.newPage()
  const errors = []
  page.on('pageerror', (e) => errors.push(String(e)))
  page.setDefaultTimeout(20_000)
  await page.addInitScript(keepStreams)
  const face = async (...names) => {
    const any = names.map((name) => `header.phone[data-face=${name}]`).join(',')
    await page
      .locator(any)
      .first()
      .waitFor()
      .catch(async () => {
        const is = await page.locator('header.phone').evaluate((bar) => [bar.dataset.face, bar.innerText])
        throw new Error(`not ${names} but ${is}`)
      })
    return page.locator('header.phone').getAttribute('data-face')
  }
  await page.goto(`${address.replace(/\/$/, '')}/?audio=raw#/work`)
  await page.fill('#username', user)
  await page.fill('#password', 'demo-12341')
  await page.keyboard.press('Enter')
  await face('offline')
  await page.keyboard.press('Alt+s')
  if ((await face('not_ready', 'ready')) !== 'ready') {
    await page.waitForTimeout(500)
    await page.keyboard.press('Alt+s')
  }
  await face('ready')
  say({ ready: true })
  if (restart) {
    // Nothing is touched: the page has to come back to work by itself.
    await page.locator('header.phone:not([data-face=ready])').waitFor({ timeout: 30_000 })
    say({ lost: true })
    await page.locator('header.phone[data-face=ready]').waitFor({ timeout: 60_000 })
    say({ again: true })
  }
  if ((await face('offered_ring', 'offered_auto', 'on_call')) !== 'on_call')
    await page.keyboard.press('Alt+a')
  await face('on_call')
  say({ talking: true })
  const heard = await page.evaluate(listen, 9)
  const back = []
  for (let n = 0; n < Number(reloads); n++) {
    await page.reload()
    // From the load on until sound comes again.
    back.push(
      await page.evaluate(async () => {
        const until = performance.now() + 15_000
        while (!window.remote && performance.now() < until) await new Promise((done) => setTimeout(done, 5))
        const context = new AudioContext()
        const meter = context.createAnalyser()
        // Chromium passes remote sound to Web Audio only while an element plays it; the page's own does.
        context.createMediaStreamSource(window.remote).connect(meter)
        await context.resume()
        const samples = new Float32Array(meter.fftSize)
        while (performance.now() < until) {
          meter.getFloatTimeDomainData(samples)
          if (samples.some((s) => Math.abs(s) > 0.003)) break
          await new Promise((done) => setTimeout(done, 5))
        }
        return Math.round(performance.now())
      }),
    )
    await face('on_call')
  }
  say({ back })
  // Twice: the first press asks.
  await page.keyboard.press('Alt+x')
  await page.keyboard.press('Alt+x')
  await face('wrap_up')
  // A ticket that is not whole keeps the agent here; a whole one is saved on the way out.
  await page.locator('#words').focus()
  await page.keyboard.type('白纸坊建功南里昨天供暖，暖气不热，屋里只有十五度。')
  await page.waitForFunction(() =>
    [...document.querySelectorAll('.form [role=combobox]:not([aria-label="被反映单位"])')].every(
      (one) => one.value !== '',
    ),
  )
  // Whether to keep it confidential has to be asked: no ticket is saved without.
  await page.keyboard.press('Control+Enter')
  await page.locator('#e-secrecy').waitFor()
  await page.locator('input[name=secrecy][value=normal]').focus()
  await page.keyboard.press('Space')
  await page.keyboard.press('Control+Enter')
  await face('ready', 'not_ready')
  say({ heard, back, errors })
  if (errors.length) process.exitCode = 1
} finally {
  await browser.close()
}
