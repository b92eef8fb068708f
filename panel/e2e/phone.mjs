// The demonstration's telephone in a real browser: calls, hears the greeting, presses 0, is refused a fifth line, is hung up when its
// page is gone, hangs up. axe-core judges the page idle and in a call.
//
// node e2e/phone.mjs ADDRESS [PICTURE]; CHROMIUM names the browser. Prints what was seen as JSON.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const [address, picture] = process.argv.slice(2)
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--autoplay-policy=no-user-gesture-required',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
  ],
})
const errors = []
async function open() {
  const page = await browser.newPage({ viewport: { width: 420, height: 900 }, locale: 'zh-CN' })
  page.on('pageerror', (e) => errors.push(String(e)))
  page.setDefaultTimeout(20_000)
  await page.goto(`${address}demo/phone`)
  return page
}
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
async function judge(page, name) {
  await page.evaluate(axe)
  const found = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }),
  )
  for (const v of found.violations)
    errors.push(`axe, ${name}: ${v.id} (${v.impact}) ${v.nodes.map((n) => n.html.slice(0, 140)).join(' | ')}`)
}
const reaches = (page, state) => page.locator(`#state[data-state=${state}]`).waitFor()
const most = (page, id, least) =>
  page.evaluate(
    async ([id, least]) => {
      let most = 0
      const until = performance.now() + 8000
      while (performance.now() < until && most < least) {
        await new Promise((done) => setTimeout(done, 50))
        most = Math.max(most, document.getElementById(id).value)
      }
      return most
    },
    [id, least],
  )
try {
  const page = await open()
  const idle = await page.locator('#state').textContent()
  await judge(page, 'idle')
  await page.click('#call')
  await reaches(page, 'talking')
  await judge(page, 'talking')
  const ear = await most(page, 'ear', 0.05)
  const microphone = await most(page, 'microphone', 0.01)
  const number = (await page.locator('#from').textContent()).replace(/\D/g, '')
  if (picture) await page.screenshot({ path: picture })
  const key = page.waitForResponse((r) => r.url().endsWith('/keys'))
  await page.locator('#keys button', { hasText: '0' }).click()
  const pressed = (await key).status()
  const others = []
  const calls = []
  for (let n = 0; n < 3; n++) {
    others.push(await open())
    const begun = others[n].waitForResponse((r) => r.url().endsWith('/calls') && r.status() === 201)
    await others[n].click('#call')
    calls.push((await (await begun).json()).id)
    await reaches(others[n], 'talking')
  }
  const fifth = await open()
  await fifth.click('#call')
  await reaches(fifth, 'full')
  // One line is free again at once.
  await others[0].click('#call')
  await reaches(others[0], 'hung_up')
  await fifth.waitForTimeout(1500)
  await fifth.click('#call')
  await reaches(fifth, 'talking')
  await fifth.click('#call')
  await others[1].click('#call')
  // A page that asks no more is gone after ten seconds: its line is hung up, and stays known.
  const path = `${address}demo/phone/calls/${calls[2]}`
  await others[2].route('**/demo/phone/calls/**', (route) => route.abort())
  await page.waitForTimeout(6000)
  const early = (await (await page.request.get(path)).json()).state
  await page.waitForTimeout(12_000)
  const gone = await (await page.request.get(path)).json()
  await page.click('#language')
  const english = await page.locator('#state').textContent()
  await page.click('#call')
  await reaches(page, 'hung_up')
  console.log(JSON.stringify({ idle, ear, microphone, number, pressed, english, early, gone, errors }))
} finally {
  await browser.close()
}
