// What a walk through the panel needs: a browser, whoever plays the others, pictures, and axe-core as the judge.
//
// The others (citizens, colleagues, the server's own end) are played by whoever started the script: one line of JSON on stdout for
// each thing to do, `{"did": n}` on stdin when it is done.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { chromium } from 'playwright-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Asks the other side for something, and waits until it is so. */
export function others() {
  const waits = new Map()
  let n = 0
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    const { did } = JSON.parse(line)
    waits.get(did)?.()
    waits.delete(did)
  })
  const ask = (what, more = {}) =>
    new Promise((done) => {
      waits.set(++n, done)
      console.log(JSON.stringify({ do: what, n, ...more }))
    })
  return { ask, end: () => lines.close() }
}

export async function stage(folder) {
  if (folder) mkdirSync(folder, { recursive: true })
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
  const judged = []

  async function open(size = { width: 1366, height: 768 }, more = {}) {
    const context = await browser.newContext({ viewport: size, locale: 'zh-CN', ...more })
    if (!more.deaf) await context.grantPermissions(['microphone'])
    const page = await context.newPage()
    page.on('pageerror', (e) => errors.push(String(e)))
    page.on('console', (m) => {
      if (m.type() === 'error' && /Content Security Policy|Refused to/.test(m.text())) errors.push(m.text())
    })
    page.setDefaultTimeout(20_000)
    return page
  }

  /** What axe-core finds, WCAG 2.0 to 2.2, A and AA. Anything is an error. */
  async function judge(page, name) {
    // As the browser's own tools would: the page's policy lets nothing in from outside.
    await page.evaluate(axe)
    const found = await page.evaluate(() =>
      window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }),
    )
    judged.push(name)
    for (const v of found.violations) {
      const where = v.nodes.slice(0, 3).map((node) => node.html.slice(0, 140))
      errors.push(`axe, ${name}: ${v.id} (${v.impact}) ${where.join(' | ')}`)
    }
  }

  /** A picture, small enough for a document. */
  async function take(page, name, clip) {
    if (!folder) return
    const cdp = await page.context().newCDPSession(page)
    const size = page.viewportSize()
    const { data } = await cdp.send('Page.captureScreenshot', {
      format: 'webp',
      quality: 78,
      clip: { x: 0, y: 0, ...size, ...clip, scale: 1 },
    })
    await cdp.detach()
    writeFileSync(`${folder}/${name}.webp`, Buffer.from(data, 'base64'))
  }

  /** A page as it stands: judged, and its picture taken. */
  async function shot(page, name) {
    // Fonts, and what fades in 120 ms.
    await page.waitForTimeout(300)
    await judge(page, name)
    await take(page, name)
  }
  return { browser, open, judge, take, shot, errors, judged }
}

/** The bar shows this state. */
export const face = (page, ...names) =>
  page
    .locator(names.map((name) => `header.phone[data-face=${name}]`).join(','))
    .first()
    .waitFor()
    .catch(async () => {
      const bar = page.locator('header.phone')
      const is = (await bar.count()) ? await bar.evaluate((b) => [b.dataset.face, b.innerText]) : 'no bar'
      throw new Error(`not ${names} but ${is}`)
    })

export async function signIn(page, address, user, at = '') {
  await page.goto(`${address}${at}`)
  await page.fill('#username', user)
  await page.fill('#password', 'demo-12341')
  await page.keyboard.press('Enter')
}
