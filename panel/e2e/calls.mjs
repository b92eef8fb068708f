// The page of calls in a real browser: sign in, see the live call, open a past one, hear its recording.
//
// node e2e/calls.mjs ADDRESS [PICTURE]; CHROMIUM names the browser. Prints what was seen as JSON; anything missing is an error.
import { chromium } from 'playwright-core'

const [address, picture] = process.argv.slice(2)
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
})
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN' })
  const errors = []
  page.on('pageerror', (e) => errors.push(String(e)))
  page.setDefaultTimeout(20_000)
  // A lead begins at the wall: this page is asked for by name.
  await page.goto(`${address.replace(/\/$/, '')}/#/calls`)
  await page.fill('#username', 'lead')
  await page.fill('#password', 'demo-12341')
  await page.click('button[type=submit]')
  const lists = page.locator('section.list')
  await lists.nth(0).locator('.one').first().waitFor()
  const live = await lists.nth(0).locator('.one').count()
  const recorded = lists
    .nth(1)
    .locator('.one', { has: page.locator('svg use[href*="rec"]') })
    .first()
  await recorded.click()
  const audio = page.locator('.player audio')
  await audio.waitFor({ state: 'attached' })
  // The loudness of what the page really plays, not of the file.
  const loud = await audio.evaluate(async (element) => {
    const context = new AudioContext()
    const meter = context.createAnalyser()
    context.createMediaElementSource(element).connect(meter)
    meter.connect(context.destination)
    await context.resume()
    await element.play()
    const samples = new Float32Array(meter.fftSize)
    let most = 0
    const until = performance.now() + 5000
    while (performance.now() < until && most < 0.05) {
      await new Promise((done) => setTimeout(done, 50))
      meter.getFloatTimeDomainData(samples)
      most = Math.max(most, Math.hypot(...samples) / Math.sqrt(samples.length))
    }
    return { most, seconds: element.duration, at: element.currentTime }
  })
  if (picture) await page.screenshot({ path: picture })
  console.log(JSON.stringify({ live, ...loud, errors }))
  if (live < 1 || !(loud.most > 0.01) || errors.length) process.exitCode = 1
} finally {
  await browser.close()
}
