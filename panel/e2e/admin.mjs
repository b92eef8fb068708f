// Administration in a real browser: the administrator adds a user, who signs in; the tables of numbers, lines and prompts are there.
//
// node e2e/admin.mjs ADDRESS [PICTURES]; CHROMIUM names the browser. Prints what was seen as JSON; anything missing is an error.
import { chromium } from 'playwright-core'

const [address, pictures] = process.argv.slice(2)
const base = address.replace(/\/$/, '')
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
})
const errors = []
async function signIn(name, password) {
  const context = await browser.newContext({ viewport: { width: 1366, height: 768 }, locale: 'zh-CN' })
  const page = await context.newPage()
  page.on('pageerror', (e) => errors.push(String(e)))
  page.setDefaultTimeout(20_000)
  await page.goto(`${base}/`)
  await page.fill('#username', name)
  await page.fill('#password', password)
  await page.click('button[type=submit]')
  await page.locator('nav.rail').waitFor()
  return page
}
try {
  const admin = await signIn('admin', 'demo-12341')
  await admin.locator('[data-user="8001"]').waitFor()
  await admin.click('[data-add]')
  await admin.fill('[name="name"]', 'new-agent')
  await admin.fill('[name="password"]', 'a-long-password-1')
  await admin.fill('[name="skills"]', 'english 2')
  await admin.locator('form .acts button[type=submit]').click()
  await admin.locator('[data-user="new-agent"]').waitFor()
  const seen = { user: await admin.locator('[data-user="new-agent"]').innerText() }
  for (const [tab, rows] of [
    ['lines', '[data-trunk]'],
    ['queues', '[data-queue]'],
    ['flows', '[data-flow]'],
    ['prompts', '[data-prompt]'],
    ['numbers', '[data-duty]'],
  ]) {
    await admin.click(`[data-tab=${tab}]`)
    await admin.locator(rows).first().waitFor()
    seen[tab] = await admin.locator(rows).count()
    if (pictures) await admin.screenshot({ path: `${pictures}/admin-${tab}.png` })
  }
  // What would have been sent: a demonstration sends nothing, and shows it.
  await admin.click('[data-tab=outbox]')
  await admin.click('[data-state=held]')
  await admin.locator('[data-push]').first().waitFor()
  seen.held = await admin.locator('[data-push]').count()
  const held = await admin.locator('[data-push][data-kind=sms]').first().innerText()
  seen.neutral = held.includes('西城12341') && !/1[2-9]\d{9}(?!\d)/.test(held)
  if (pictures) await admin.screenshot({ path: `${pictures}/admin-outbox.png` })
  // Whom she may be: the new user begins at the desk, without a door to administration.
  const agent = await signIn('new-agent', 'a-long-password-1')
  await agent.waitForURL(/#\/work/)
  seen.door = await agent.locator('nav.rail a[href="#/admin"]').count()
  console.log(JSON.stringify({ ...seen, errors }))
  if (errors.length || seen.door !== 0 || !seen.held || !seen.neutral) process.exitCode = 1
} finally {
  await browser.close()
}
