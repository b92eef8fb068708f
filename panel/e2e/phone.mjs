// The demonstration's telephone in a real browser: calls, hears the greeting, presses 0, is refused a fifth line, hangs up.
//
// node e2e/phone.mjs ADDRESS [PICTURE]; CHROMIUM names the browser. Prints what was seen as JSON.
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
  await page.click('#call')
  await reaches(page, 'talking')
  const ear = await most(page, 'ear', 0.05)
  const microphone = await most(page, 'microphone', 0.01)
  const number = (await page.locator('#from').textContent()).replace(/\D/g, '')
  if (picture) await page.screenshot({ path: picture })
  const key = page.waitForResponse((r) => r.url().endsWith('/keys'))
  await page.locator('#keys button', { hasText: '0' }).click()
  const pressed = (await key).status()
  const others = []
  for (let n = 0; n < 3; n++) {
    others.push(await open())
    await others[n].click('#call')
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
  for (const other of [fifth, others[1], others[2]]) await other.click('#call')
  await page.click('#language')
  const english = await page.locator('#state').textContent()
  await page.click('#call')
  await reaches(page, 'hung_up')
  console.log(JSON.stringify({ idle, ear, microphone, number, pressed, english, errors }))
} finally {
  await browser.close()
}
