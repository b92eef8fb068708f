// Knowledge in a real browser: found while somebody talks, quoted with one key; written by its unit, passed, published, found.
//
// node e2e/kb.mjs ADDRESS [FOLDER]; CHROMIUM names the browser. Whoever starts it plays the citizen (see stage.mjs). The last line tells
// what was seen and judged by axe-core; anything missing is an error.
import { face, others, signIn, stage } from './stage.mjs'

const [at, folder] = process.argv.slice(2)
const address = at.replace(/\/?$/, '/')
const { ask, end } = others()
const { browser, open, shot, take, errors, judged } = await stage(folder)
const seen = {}
const press = (page, key) => page.keyboard.press(key)

/** Another person at the page of knowledge. */
async function keeper(user, at = '#/kb') {
  const page = await open()
  await signIn(page, address, user, at)
  await page.locator('[data-entry]').first().waitFor()
  return page
}
async function choose(page, label, text) {
  const field = page.locator('form').getByRole('combobox', { name: label })
  await field.click()
  await field.fill(text)
  await press(page, 'Enter')
}
async function step(page, name, stage) {
  await page.locator(`[data-act=${name}]`).click()
  await page.locator(`[data-stage][data-is=${stage}]`).waitFor()
}

try {
  const page = await open()
  await signIn(page, address, '8001', '#/work')
  await face(page, 'offline')
  await press(page, 'Alt+s')
  await face(page, 'ready', 'not_ready')
  if ((await page.locator('header.phone').getAttribute('data-face')) !== 'ready') await press(page, 'Alt+s')
  await face(page, 'ready')
  await page.locator('.tag.ok').first().waitFor()
  await ask('dial', { name: 'one', as: '12000000001' })
  await face(page, 'offered_ring')
  await press(page, 'a')
  await face(page, 'on_call')

  // What is written finds the answer; one key quotes it, once.
  await press(page, 'Alt+2')
  await page.locator('#words').fill('我家暖气不热，屋里才15度，能退费吗')
  await page.locator('[data-entry=KB-0002].on').waitFor()
  await shot(page, 'work-knowledge')
  await press(page, 'Alt+q')
  await page.locator('[data-entry=KB-0002] [data-quoted]').waitFor()
  await shot(page, 'work-quoted')
  // What is to be verified is shown, and no key quotes it.
  await page.locator('main').focus()
  await press(page, 'Slash')
  await page.keyboard.type('路侧停车收费')
  await page.locator('[data-entry=KB-0013].on').waitFor()
  seen.stale = await page.locator('[data-entry=KB-0013] [data-quote]').isDisabled()
  await press(page, 'Alt+q')
  await shot(page, 'work-stale')
  seen.quoted = await page.evaluate(async () => {
    const { items } = await (await fetch('/api/v1/calls/live')).json()
    const quotes = await (await fetch(`/api/v1/kb/quotes?call=${items[0].id}`)).json()
    return quotes.items.map((one) => [one.entry, one.version])
  })
  // Nothing there: a gap, noted with one key.
  const search = page.locator('[data-kb-search]')
  await search.fill('xyzzy')
  await page.locator('[data-kb-none]').waitFor()
  await press(page, 'Enter')
  await page.locator('[data-kb-none] button').waitFor({ state: 'detached' })

  // A unit's entry: written, sent to its leader, passed, published.
  const kb = await keeper('kb')
  await shot(kb, 'kb')
  await kb.locator('[data-new]').click()
  await kb.fill('[name=title]', '供热单位入户测温')
  await kb.fill('[name=questions]', '谁来家里测温\n测温要预约吗')
  await kb.fill('[name=answer]', '供热单位接到报修后二十四小时内上门测温，请家里留人。')
  await kb.fill('[name=source]', '热力西城口径')
  await kb.fill('[name=review_by]', '2027-03-15')
  await choose(kb, '责任单位', '热力西城')
  await choose(kb, '分类', '暖气不热')
  await shot(kb, 'kb-form')
  await kb.locator('[data-save]').click()
  await kb.locator('[data-stage][data-is=draft]').waitFor()
  seen.id = await kb.evaluate(() => location.hash.replace('#/kb/', ''))
  await step(kb, 'submit', 'unit_review')
  const head = await keeper('rl-head', `#/kb/${seen.id}`)
  await step(head, 'approve', 'office_review')
  const office = await keeper('office', `#/kb/${seen.id}`)
  await shot(office, 'kb-review')
  await step(office, 'publish', 'published')
  await office.locator('[data-history]').click()
  await office.locator('[data-version="1"]').waitFor()
  await shot(office, 'kb-published')
  // The contradicted one is told why it cannot be.
  await kb.goto(`${address}#/kb/KB-0014`)
  await kb.locator('[data-obstacle=contradicted]').waitFor()
  seen.obstacles = await kb.locator('[data-obstacle]').count()
  await shot(kb, 'kb-contradicted')
  for (const tab of ['corrections', 'notices', 'units', 'gaps']) {
    await kb.locator(`[data-tab=${tab}]`).click()
    await kb.waitForTimeout(400)
    await shot(kb, `kb-${tab}`)
  }
  seen.gap = await kb.locator('[data-gap=xyzzy]').count()

  // The agent has it at once, marked as today's.
  await search.fill('谁来家里测温')
  await page.locator(`[data-entry=${seen.id}].on .tag`, { hasText: '今日变更' }).waitFor()
  await press(page, 'Alt+q')
  await page.locator(`[data-entry=${seen.id}] [data-quoted]`).waitFor()
  await page.locator('[data-kb-today]', { hasText: '供热单位入户测温' }).waitFor()
  await page.getByRole('button', { name: 'English' }).click()
  await shot(page, 'work-knowledge-en')
  await page.getByRole('button', { name: '中文' }).click()
  const agent = await page.context().newPage()
  await agent.goto(`${address}#/kb`)
  await agent.locator(`[data-entry=${seen.id}]`).waitFor()
  seen.drafts = await agent.locator('[data-entry=KB-0014]').count()
  await shot(agent, 'kb-agent')
  await agent.close()
  await ask('hang', { name: 'one' })
  console.log(JSON.stringify({ ...seen, judged, errors }))
} catch (e) {
  const stood = browser.contexts().flatMap((c) => c.pages())
  for (const [n, one] of stood.entries()) if (folder) await take(one, `failed-${n}`).catch(() => {})
  errors.push(String(e?.stack ?? e))
  console.log(JSON.stringify({ ...seen, judged, errors }))
} finally {
  await browser.close()
  end()
}
if (errors.length) process.exitCode = 1
