// A matter on its way round: dispatcher, unit, its head, dispatcher again, the citizen's verdict, once more after an unhappy one, to
// closed. Each of them in a browser of his own and by what he sees there.
import { signIn } from './stage.mjs'

const press = (page, key) => page.keyboard.press(key)
const row = (page, no) => page.locator(`[data-no="${no}"]`)
const opened = (page, no) => page.locator(`[data-ticket="${no}"]`)

/** The page at one's desk, and where one begins without having asked for it. */
async function desk(open, address, user, path) {
  const page = await open({ width: 1366, height: 768 })
  await signIn(page, address, user)
  await page.waitForURL(new RegExp(`#${path}$`))
  return page
}
async function go(page, address, path) {
  await page.goto(`${address}#${path}`)
}
/** A list is asked for anew every ten seconds. */
const there = (page, no) => row(page, no).waitFor({ timeout: 30_000 })
async function choose(page, no) {
  await there(page, no)
  await row(page, no).locator('button').first().click()
  await opened(page, no).waitFor()
}
async function fill(page, values) {
  for (const [name, value] of Object.entries(values))
    await page.locator(`dialog [data-field=${name}]`).fill(value)
}
/** Out of a list of names, by typing. */
async function pick(page, field, text) {
  const box = page.locator(`dialog [data-of=${field}] [role=combobox]`)
  await box.click()
  await box.fill(text)
  await press(page, 'Enter')
}
async function send(page) {
  await page.locator('dialog [data-go]').click()
  await page.locator('dialog').waitFor({ state: 'detached' })
}
/** What the server has of it, asked with the page's own session. */
export const told = (page, path) =>
  page.evaluate(async (path) => (await fetch(path, { headers: { accept: 'application/json' } })).json(), path)
const check = (is, what) => {
  if (!is) throw new Error(what)
}

/** `shot(page, name)` judges a page and may draw it; `secret`: what no unit may see. */
export async function round({ open, address, no, shot, secret = [] }) {
  const state = async (page, wanted) => {
    const { state } = await told(page, `/api/v1/tickets/${no}`)
    check(state === wanted, `${no} is ${state} instead of ${wanted}`)
  }
  const unseen = async (page, where) => {
    const text = await page.locator('body').innerText()
    for (const words of secret)
      check(!text.includes(words), `${where} shows the caller's own words: ${words}`)
  }
  const seen = {}

  // The dispatcher: the catalogue's unit stands ready, D sends it.
  const dispatcher = await desk(open, address, 'dispatcher', '/dispatch')
  await choose(dispatcher, no)
  await dispatcher.locator('[data-unit=rl]').waitFor()
  check(await dispatcher.locator('[data-unit=rl]').isChecked(), 'the unit of the catalogue is proposed')
  await shot(dispatcher, 'dispatch')
  await press(dispatcher, 'd')
  await dispatcher.locator('[data-undo]').waitFor()
  await shot(dispatcher, 'dispatch-undo')
  // Who takes it back has it before him again; the second time it is sent when the page is left.
  await dispatcher.locator('[data-undo]').click()
  await choose(dispatcher, no)
  await state(dispatcher, 'accepted')
  await press(dispatcher, 'd')
  await dispatcher.locator('[data-undo]').waitFor()
  await go(dispatcher, address, `/tickets/${no}`)
  await dispatcher.locator('[data-kind=dispatch]').waitFor({ timeout: 30_000 })

  // The unit: says that it is another's, which is refused, and signs.
  const unit = await desk(open, address, 'rl', '/unit')
  await choose(unit, no)
  check(
    (await unit.locator('nav.rail a').count()) === 4,
    'a unit has its inbox, its tickets, its rates and the answers',
  )
  await shot(unit, 'unit')
  await unseen(unit, 'the inbox')
  await unit.locator('[data-action=ask_return]').click()
  await unit.locator('dialog').waitFor()
  await unit.locator('dialog [data-go]').click()
  await unit.locator('dialog [aria-invalid=true]').first().waitFor()
  await shot(unit, 'unit-return')
  await fill(unit, { basis: '派单目录', text: '应由供电单位先查线路' })
  await pick(unit, 'to', 'gd')
  await send(unit)
  await go(dispatcher, address, '/dispatch/return_review')
  await choose(dispatcher, no)
  await dispatcher.locator('[data-return]').waitFor()
  await shot(dispatcher, 'dispatch-return')
  await dispatcher.locator('[data-action=refuse_return]').click()
  await fill(dispatcher, { reason: '室温属供热单位' })
  await send(dispatcher)

  const head = await desk(open, address, 'rl-head', '/unit')
  const visitor = await desk(open, address, 'visitor', '/visits')
  for (const [nth, happy] of [
    [1, false],
    [2, true],
  ]) {
    await go(unit, address, '/unit/to_sign')
    await choose(unit, no)
    if (nth === 2) {
      await unit.locator('[data-verdict]').waitFor()
      await shot(unit, 'unit-redo')
    }
    await unit.locator('[data-action=sign]').waitFor()
    await press(unit, 's')
    await unit.locator('[data-action=sign]').waitFor({ state: 'detached' })
    await go(unit, address, '/unit/handling')
    await choose(unit, no)
    await unit.locator('[data-action=contact]').click()
    await unit.locator('dialog [value=phone]').check()
    await fill(unit, { text: '约定今天下午上门测温' })
    await send(unit)
    await unit.locator('#r-report').fill(`第 ${nth} 次到场，测温 19 度`)
    await press(unit, 'Control+Enter')
    // A text for the citizen is needed as well: nothing was sent.
    await unit.locator('#r-text[aria-invalid=true]').waitFor()
    await shot(unit, `unit-reply-${nth}`)
    await unit.locator('#r-text').fill('维修人员已上门调节阀门，室温已达标，如有反复请再来电。')
    await unit.locator('[name=claim][value=solved]').check()
    await press(unit, 'Control+Enter')
    await row(unit, no).waitFor({ state: 'detached' })
    await state(unit, 'replied')

    // The head: reads, prints, signs.
    await go(head, address, '/unit/to_seal')
    await choose(head, no)
    await head.locator('[data-action=sign_reply]').waitFor()
    if (nth === 1) {
      await shot(head, 'unit-head')
      await head.locator('[data-print]').click()
      await head.locator('dialog .paper').waitFor()
      await shot(head, 'unit-paper')
      await unseen(head, 'the sheet')
      await press(head, 'Escape')
    }
    await head.locator('[data-action=sign_reply]').click()
    await row(head, no).waitFor({ state: 'detached' })

    // The dispatcher reads the reply before the citizen is asked.
    await go(dispatcher, address, '/dispatch/review')
    await choose(dispatcher, no)
    await dispatcher.locator('[data-action=review_pass]').waitFor()
    if (nth === 1) await shot(dispatcher, 'dispatch-review')
    await dispatcher.locator('[data-action=review_pass]').click()
    await row(dispatcher, no).waitFor({ state: 'detached' })
    await state(dispatcher, 'awaiting_visit')

    // The citizen: who it is first; nothing of the matter stands there before.
    await go(visitor, address, '/visits')
    await visitor.reload()
    await choose(visitor, no)
    await visitor.locator('[data-identity]').waitFor()
    check((await visitor.locator('[data-q]').count()) === 0, 'no question before the citizen is known')
    if (nth === 1) {
      await shot(visitor, 'visits')
      await visitor.locator('[data-try=unreachable]').click()
      await visitor.locator('.number .tag').first().waitFor()
    }
    await visitor.locator('[data-known]').click()
    await visitor.locator(`[data-q=contacted] [value=${happy}]`).check()
    await visitor.locator(`[data-q=solved] [value=${happy ? 'yes' : 'no'}]`).check()
    await visitor.locator(`[data-q=satisfied] [value=${happy ? 'satisfied' : 'not'}]`).check()
    await visitor.locator(`[data-q=matches] [value=${happy}]`).check()
    check((await visitor.locator('[data-redo]').isChecked()) === !happy, 'what is not solved goes back')
    if (nth === 1) await shot(visitor, 'visits-asked')
    await visitor.locator('[data-save]').click()
    await row(visitor, no).waitFor({ state: 'detached' })
    await state(visitor, happy ? 'closed' : 'redo')
    if (nth === 1) {
      await go(visitor, address, `/tickets/${no}`)
      await visitor.locator('[data-agreement=differs]').waitFor()
      await shot(visitor, 'ticket-redo')
    }
  }

  // The office sees the whole way, and who is late.
  const office = await desk(open, address, 'office', '/office')
  await shot(office, 'office')
  await go(office, address, '/office/late')
  await office.locator('section.late [data-unit]').first().waitFor()
  await shot(office, 'office-late')
  await go(office, address, `/tickets/${no}`)
  await office.locator('[data-agreement=agrees]').waitFor()
  await office.locator('[data-kind=dispatch]').waitFor()
  await shot(office, 'ticket-closed')
  seen.kinds = await office
    .locator('[data-kind]')
    .evaluateAll((all) => all.map((one) => one.dataset.kind).reverse())
  seen.clocks = await office
    .locator('[data-clock]')
    .evaluateAll((all) => all.map((one) => `${one.dataset.clock} ${one.dataset.light}`))
  seen.verdict = await office.locator('.vd').innerText()
  // What became of it counts, and the number opens to it.
  await go(office, address, '/rates')
  await office.locator('#span-own').click()
  await office.locator('.bar2 input[type=date]').first().fill('2026-01-01')
  await office.locator('.bar2 input[type=date]').last().fill('2027-12-31')
  const { lead } = await told(office, `/api/v1/tickets/${no}`)
  const led = office.locator(`tr[data-unit="${lead}"] [data-rate=match]:not(.none)`)
  await led.click()
  await office.locator('#which-hit').click()
  await office.locator(`#behind-list a[href$="${no}"]`).waitFor()
  seen.rate = await led.locator('b').innerText()
  await shot(office, 'rates')
  await unseen(unit, 'the inbox at the end')
  for (const page of [dispatcher, unit, head, visitor, office]) await page.context().close()
  return seen
}
