// Every page and every state of it, on the real server with real calls: judged by axe-core, and drawn for docs/panel-pictures.md.
//
// node e2e/pages.mjs ADDRESS [FOLDER]; CHROMIUM names the browser. Without a folder nothing is drawn. Whoever starts it plays the
// citizens and the colleagues (see stage.mjs). The last line tells what was judged; anything missing is an error.
import { round, told } from './round.mjs'
import { face, others, signIn, stage } from './stage.mjs'

const [at, folder] = process.argv.slice(2)
const address = at.replace(/\/?$/, '/')
const { ask, end } = others()
const { browser, open, take, judge, shot, errors, judged } = await stage(folder)
const LIU = '12000000001'
const WORDS =
  '我住白纸坊建功南里，昨天供暖了，屋里才15度。物业让找热力，热力电话打不通。我78了，冷得很，快让人上门量一量，暖气不热。'

const bars = []
/** The bar alone; the page under it is judged elsewhere, the bar in each state here. */
async function bar(page, name) {
  await page.waitForTimeout(250)
  await judge(page, `bar ${name}`)
  bars.push(name)
  await take(page, `bar-${name}`, { height: 64 })
}
const press = (page, key) => page.keyboard.press(key)
const control = (page, name) => page.locator(`[data-control=${name}]`)
async function whole(page) {
  await press(page, 'Alt+2')
  await page.locator('#words').fill(WORDS)
  // The suggestions follow what is written.
  await page.waitForFunction(() =>
    [...document.querySelectorAll('.form [role=combobox]:not([aria-label="被反映单位"])')].every(
      (one) => one.value !== '',
    ),
  )
  const ask = page.locator('input[name=secrecy][value=normal]')
  if (!(await ask.isChecked())) await ask.check({ force: true })
}
async function finish(page) {
  await press(page, 'Control+Enter')
  await face(page, 'ready', 'not_ready')
}

try {
  // The door.
  const page = await open()
  await page.goto(address)
  await page.locator('.demo').waitFor()
  await shot(page, 'login')
  await page.fill('#username', '8001')
  await page.fill('#password', 'wrong')
  await press(page, 'Enter')
  await page.locator('#trouble').waitFor()
  await shot(page, 'login-wrong')

  // The plan, the callbacks, and administration by each of its doors: no call is needed for them, and no telephone waits.
  const office = await open()
  await signIn(office, address, 'lead', '#/roster')
  await office.locator('[role=tab]').first().waitFor()
  await office.waitForTimeout(800)
  for (const tab of await office.locator('[role=tab]').all()) {
    await tab.click()
    await shot(office, `roster-${(await tab.getAttribute('id')).replace(/^.*-/, '')}`)
  }
  await office.goto(`${address}#/callbacks`)
  for (const tab of ['callbacks', 'messages']) {
    await office.locator(`#tab-${tab}`).click()
    await shot(office, tab === 'messages' ? 'messages' : 'callbacks')
  }
  await office.goto(`${address}#/admin/sessions`)
  await office.locator('[data-tab=sessions]').waitFor()
  await office.waitForTimeout(300)
  await shot(office, 'admin-sessions')
  // A sheet of paper from an outage: entered with its own time, an hour ago, written, accepted.
  await office.goto(`${address}#/paper`)
  await office.fill('#p-sheet', '纸-0001')
  await office.fill('#p-at', new Date(Date.now() + 7 * 3_600_000).toISOString().slice(0, 16))
  await office.locator('[data-enter]').click()
  await office.locator('#words').waitFor()
  await whole(office)
  await shot(office, 'paper')
  await office.locator('[data-goal=accepted]').click()
  await office.locator('.card.quiet a[href*="#/tickets/"]').waitFor()
  const admin = await open({ width: 1366, height: 768 })
  await signIn(admin, address, 'admin', '#/admin')
  await admin.locator('[data-tab]').first().waitFor()
  for (const tab of await admin.locator('[data-tab]').all()) {
    await tab.click()
    await admin.waitForTimeout(300)
    await shot(admin, `admin-${await tab.getAttribute('data-tab')}`)
  }
  await admin.context().close()
  await office.context().close()

  // The day begins: colleagues at their phones, an agent at the browser. The line to the engine goes through here, to be cut.
  let up = true
  let lines = []
  await page.routeWebSocket(/\/cti\/v1/, (line) => {
    if (!up) return line.close()
    lines.push(line)
    line.connectToServer()
  })
  await ask('agent', { user: '8002' })
  await signIn(page, address, '8001', '#/work')
  await face(page, 'offline')
  await shot(page, 'work-offline')
  await press(page, 'Alt+s')
  await face(page, 'ready', 'not_ready')
  if ((await page.locator('header.phone').getAttribute('data-face')) !== 'ready') await press(page, 'Alt+s')
  await face(page, 'ready')
  // No offers before the ears are proven.
  await page.locator('.tag.ok').first().waitFor()

  // A first call of the same citizen: who calls again has a history.
  await ask('agent-is', { user: '8002', cmd: 'agent.not_ready', fields: { reason: 'busy' } })
  await ask('dial', { name: 'first', as: LIU })
  await face(page, 'offered_ring')
  await press(page, 'a')
  await face(page, 'on_call')
  await whole(page)
  await ask('hang', { name: 'first' })
  await face(page, 'wrap_up')
  await finish(page)
  await ask('agent-is', { user: '8002', cmd: 'agent.ready', fields: {} })
  await press(page, 'Alt+s')
  await face(page, 'not_ready')
  await bar(page, 'not_ready')
  await press(page, 'Alt+s')
  await face(page, 'ready')
  await page.waitForTimeout(1500)
  await shot(page, 'work-idle')
  await bar(page, 'ready')
  await press(page, 'Alt+b')
  await shot(page, 'sheet-break')
  await page.getByRole('dialog').locator('.chips button').first().click()
  await face(page, 'not_ready', 'ready')
  await page.waitForTimeout(400)
  await bar(page, 'break')
  await press(page, 'Alt+s')
  await face(page, 'ready')

  // It rings.
  await ask('agent-is', { user: '8002', cmd: 'agent.not_ready', fields: { reason: 'meal' } })
  await ask('dial', { name: 'liu', as: LIU })
  await face(page, 'offered_ring')
  await page.locator('.pop .tl').waitFor()
  await shot(page, 'work-offered')
  await take(page, 'bar-offered_ring', { height: 64 })
  bars.push('offered_ring')
  await press(page, 'a')
  await face(page, 'on_call')
  await ask('agent-is', { user: '8002', cmd: 'agent.ready', fields: {} })
  await whole(page)
  await page.locator('header.phone').getByText('音质').waitFor()
  await page.waitForTimeout(1200)
  await shot(page, 'work-talking')
  await bar(page, 'on_call')
  await page.evaluate(() => (document.documentElement.dataset.theme = 'dark'))
  await shot(page, 'work-talking-dark')
  await page.evaluate(() => delete document.documentElement.dataset.theme)
  await page.getByRole('button', { name: 'English' }).click()
  await shot(page, 'work-talking-en')
  await page.getByRole('button', { name: '中文' }).click()
  // He has called of the same before: his ticket is there, the call can go to it.
  const known = /\d{12}/.exec(await page.locator('.tl').first().innerText())[0]
  const alike = page.locator('[data-similar]')
  await alike.locator('[aria-expanded=false]').click()
  await alike.locator(`button[aria-label$="${known}"]`).click()
  await page.locator('[data-link] #link-no').waitFor()
  await shot(page, 'work-link')
  await press(page, 'Escape')
  await alike.locator('[aria-expanded=true]').click()
  // A special caller: the cards, the steps of one, gas only for who is outdoors.
  await press(page, 'Alt+k')
  await page.locator('.cards button:focus').waitFor()
  await press(page, '2')
  await page.locator('[data-special=steps]').waitFor()
  await shot(page, 'work-special')
  await press(page, 'Alt+u')
  await page.getByRole('dialog').locator('[data-service=gas]:disabled').waitFor()
  await shot(page, 'sheet-relay')
  await page.getByRole('dialog').locator('[data-outdoors]').check()
  await page.getByRole('dialog').locator('[data-service=gas]:enabled').waitFor()
  await press(page, 'Escape')
  await page.locator('[data-special=emergency]').click()
  await page.locator('main').focus()
  await press(page, 'Alt+m')
  await face(page, 'muted')
  await press(page, 'Alt+g')
  await control(page, 'assist_cancel').waitFor()
  await bar(page, 'muted')
  await press(page, 'Alt+m')
  await press(page, 'Alt+g')
  await control(page, 'assist').waitFor()
  await press(page, 'Alt+r')
  await control(page, 'record_resume').waitFor()
  await bar(page, 'recording_paused')
  await press(page, 'Alt+r')
  await control(page, 'record_pause').waitFor()
  await press(page, 'Alt+h')
  await face(page, 'held')
  await shot(page, 'work-held')
  await bar(page, 'held')
  await press(page, 'Alt+h')
  await face(page, 'on_call')
  await press(page, 'Alt+t')
  await page.getByRole('dialog').waitFor()
  await shot(page, 'sheet-transfer')
  await press(page, 'Escape')
  await page.locator('main').focus()
  await press(page, 'Shift+Slash')
  await page.getByRole('dialog').waitFor()
  await shot(page, 'sheet-keys')
  await press(page, 'Escape')
  await press(page, 'Alt+c')
  await page.fill('#target', '8002')
  await press(page, 'Enter')
  await face(page, 'consult')
  await page.waitForTimeout(1500)
  await shot(page, 'work-consult')
  await bar(page, 'consult')
  await press(page, 'Alt+y')
  await face(page, 'conference')
  await page.waitForTimeout(700)
  await shot(page, 'work-conference')
  await bar(page, 'conference')
  await ask('agent-is', { user: '8002', cmd: 'call.hangup', fields: {} })
  await face(page, 'on_call')
  await ask('agent-is', { user: '8002', cmd: 'wrapup.finish', fields: {}, may: true })

  // The line to the engine is cut while somebody speaks: the sound goes on.
  await page.waitForTimeout(500)
  up = false
  for (const line of lines.splice(0)) await line.close()
  await face(page, 'line_lost')
  await page.waitForTimeout(2500)
  await shot(page, 'work-line_lost')
  await bar(page, 'line_lost')
  up = true
  await face(page, 'on_call')
  await press(page, 'F9')
  await face(page, 'crisis')
  await bar(page, 'crisis')
  await shot(page, 'work-crisis')
  await ask('hang', { name: 'liu' })
  await face(page, 'wrap_up')
  await shot(page, 'work-wrap_up')
  await bar(page, 'wrap_up')
  // After a crisis one rests until one says otherwise.
  await finish(page)
  await face(page, 'not_ready')
  await bar(page, 'crisis_rest')
  await press(page, 'Alt+s')
  await face(page, 'ready')

  // A queue that answers by itself: a beep, then the caller.
  await ask('agent-is', { user: '8002', cmd: 'agent.not_ready', fields: { reason: 'meal' } })
  await ask('dial', { name: 'firm', as: '12000000023', key: '3' })
  await face(page, 'offered_auto')
  await bar(page, 'offered_auto')
  await face(page, 'on_call')
  // One call, two matters: the second turns out to be an older ticket's.
  await whole(page)
  await page.locator('[data-split]').click()
  await page.locator('.chips button').nth(1).waitFor()
  await page.locator('.chips button[aria-pressed=true]').nth(0).waitFor()
  await page.locator('#words').fill('上次反映的还没有人来')
  await shot(page, 'work-split')
  await page.locator('[data-link-open]').click()
  await page.fill('#link-no', known)
  await page.locator('[data-link] input[value=ask]').check()
  await press(page, 'Enter')
  await page.getByText(`已关联到 ${known}`).waitFor()
  await page.locator('.chips').getByText('作废').waitFor()
  await ask('hang', { name: 'firm' })
  await face(page, 'wrap_up')
  await whole(page)
  await finish(page)
  await face(page, 'ready')

  // Nobody answers here; the last agent on shift would not drop out, so another one comes.
  await ask('dial', { name: 'missed', as: '12000000031' })
  await face(page, 'offered_ring')
  await ask('agent-is', { user: '8002', cmd: 'agent.ready', fields: {} })
  await face(page, 'not_responding')
  await bar(page, 'not_responding')
  await press(page, 'Alt+s')
  await face(page, 'ready')

  // No microphone: the browser gives none.
  const deaf = await open({ width: 1366, height: 768 }, { deaf: true })
  await deaf.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))
  })
  await signIn(deaf, address, '8004', '#/work')
  await face(deaf, 'offline', 'no_microphone')
  if ((await deaf.locator('header.phone').getAttribute('data-face')) === 'offline') await press(deaf, 'Alt+s')
  await face(deaf, 'no_microphone')
  await shot(deaf, 'work-no_microphone')
  await bar(deaf, 'no_microphone')

  // The hall.
  await ask('agent', { user: '8003' })
  const lead = await open({ width: 1920, height: 1080 })
  await signIn(lead, address, 'lead', '#/wall')
  await lead.locator('.ag').first().waitFor()
  for (const [name, as] of [
    ['w1', '12000000041'],
    ['w2', '12000000042'],
    ['w3', '12000000043'],
    ['w4', '12000000044'],
    ['w5', '12000000045'],
    ['w6', '12000000046'],
  ])
    await ask('dial', { name, as })
  await face(page, 'offered_ring', 'on_call')
  if ((await page.locator('header.phone').getAttribute('data-face')) === 'offered_ring')
    await press(page, 'Alt+a')
  await face(page, 'on_call')
  await press(page, 'Alt+g')
  await lead.locator('.ag.hold').first().waitFor()
  // What is written goes to the server by itself, and the hall sees what the call is about.
  await whole(page)
  await page.locator('.head').getByText('已自动保存').waitFor({ timeout: 30_000 })
  await lead.locator('.ag.hold .does', { hasText: '暖气不热' }).waitFor({ timeout: 30_000 })
  await shot(lead, 'wall')
  await lead.setViewportSize({ width: 1366, height: 768 })
  await shot(lead, 'wall-1366')
  await lead.setViewportSize({ width: 1920, height: 1080 })
  await lead.goto(`${address}#/wall?tv`)
  await lead.locator('.wall.tv').waitFor()
  await shot(lead, 'wall-tv')
  await lead.setViewportSize({ width: 1366, height: 768 })
  await lead.goto(`${address}#/people`)
  await lead.locator('table').first().waitFor()
  await shot(lead, 'people')
  await lead.goto(`${address}#/calls`)
  const lists = lead.locator('section.list')
  await lists
    .nth(1)
    .locator('.one', { has: lead.locator('svg use[href*="rec"]') })
    .first()
    .click()
  await lead.locator('.player').waitFor()
  await shot(lead, 'calls')
  await lead.goto(`${address}#/tickets`)
  await lead.locator('tbody tr, .one').first().waitFor()
  await shot(lead, 'tickets')
  // One that was written today: the unit's text and the caller's words apart, its tags.
  await lead.locator('.one', { hasText: '已受理' }).first().click()
  await lead.getByText('转办内容').waitFor()
  await lead.waitForTimeout(600)
  await shot(lead, 'ticket')
  const { items } = await told(lead, `/api/v1/tickets?state=accepted&caller=${LIU}`)
  // The same on its way round all desks, each of them judged.
  await round({ open, address, no: items.at(-1).no, shot, secret: ['我78了', LIU] })
  // Nothing there, and no right.
  await lead.goto(`${address}#/calls/c-0-0-0`)
  await lead.waitForTimeout(800)
  await shot(lead, 'calls-none')

  // A second page takes over; then the server is gone.
  const second = await page.context().newPage()
  await second.goto(`${address}#/work`)
  await face(second, 'on_call', 'taken_over')
  if ((await second.locator('header.phone').getAttribute('data-face')) === 'taken_over')
    await press(second, 'Enter')
  await face(page, 'taken_over')
  await bar(page, 'taken_over')
  await second.close()
  await press(page, 'Enter')
  await face(page, 'on_call')
  // Its ears are back too: a page without any would not miss them. While help is asked for the bar tells of that instead.
  await press(page, 'Alt+g')
  await page.locator('header.phone').getByText('音质').waitFor()
  await ask('kill')
  await face(page, 'both_lost')
  await page.waitForTimeout(2500)
  await shot(page, 'work-both_lost')
  await bar(page, 'both_lost')
  console.log(JSON.stringify({ judged, bars, errors }))
} catch (e) {
  // What stood there instead.
  const stood = browser.contexts().flatMap((c) => c.pages())
  for (const [n, one] of stood.entries()) if (folder) await take(one, `failed-${n}`).catch(() => {})
  errors.push(String(e?.stack ?? e))
  console.log(JSON.stringify({ judged, bars, errors }))
} finally {
  await browser.close()
  end()
}
if (errors.length) process.exitCode = 1
