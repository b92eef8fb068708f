// The citizens' page on a telephone without JavaScript: a message with a photo, its receipt, progress, more, a reply, a verdict. Then the
// same pages with scripts allowed, only so that axe-core can judge them.
//
// node e2e/public.mjs ADDRESS [FOLDER]; CHROMIUM names the browser. Prints what was seen as JSON; anything missing is an error.
import { readFileSync } from 'node:fs'
import { others, stage } from './stage.mjs'

const [at, folder] = process.argv.slice(2)
const address = at.replace(/\/?$/, '/')
const { end } = others()
const { browser, open, take, shot, errors, judged } = await stage(folder)
const PHONE = { width: 390, height: 844 }
const WORDS = '建功南里三号楼门口的井盖没有了，昨天晚上差点有人掉下去，请尽快来修。'
const photo = {
  name: '井盖.webp',
  mimeType: 'image/webp',
  buffer: readFileSync(new URL('../../docs/img/panel/login.webp', import.meta.url)),
}
const seen = { requests: [] }
const check = (is, what) => {
  if (!is) throw new Error(what)
}
/** By program, as staff do by their desks. */
async function staff(user) {
  const ask = async (method, path, body, token) => {
    const answer = await fetch(`${address}api/v1/${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    const told = await answer.json()
    if (!answer.ok) throw new Error(`${user} ${method} ${path}: ${answer.status} ${JSON.stringify(told)}`)
    return told
  }
  const { token } = await ask('POST', 'session', { username: user, password: 'demo-12341' })
  return {
    get: (path) => ask('GET', path, null, token),
    async act(no, action, more = {}) {
      const { version } = await ask('GET', `tickets/${no}`, null, token)
      return ask('POST', `tickets/${no}/actions`, { action, version, ...more }, token)
    },
  }
}
async function write(page) {
  await page.locator('input[name=type][value=help]').check()
  await page.fill('#content', WORDS)
  await page.selectOption('#street', '110102019')
  await page.fill('#address', '三号楼')
  await page.locator('input[name=secrecy][value=normal]').check()
  await page.fill('#name', '王女士')
  await page.fill('#number', '120 0000 0077')
}
async function look(page, no, code) {
  await page.goto(`${address}public/`)
  await page.fill('#no', no)
  await page.fill('#code', code)
  await page.locator('form button').click()
  await page.locator('.st[data-state]').waitFor()
}

try {
  const page = await open(PHONE, { javaScriptEnabled: false, deaf: true })
  page.on('request', (one) => seen.requests.push(new URL(one.url()).origin))
  await page.goto(`${address}public/`)
  await page.locator('nav a').click()
  // What is missing is told first, with links to where it is.
  await page.locator('button[type=submit]').click()
  await page.locator('.err a[href="#content"]').waitFor()
  await write(page)
  await page.setInputFiles('#photos', [photo])
  await page.locator('button[type=submit]').click()
  const no = await page.locator('[data-no]').getAttribute('data-no')
  const code = await page.locator('[data-code]').getAttribute('data-code')
  check(/^\d{12}$/.test(no) && /^\d{6}$/.test(code), `${no} ${code}`)
  // The clocks begin within a second.
  await page.waitForTimeout(2500)
  await look(page, no, code)
  check((await page.locator('.st').innerText()).includes('已受理'), 'it is taken down')
  for (const [action, text, word] of [
    ['supplement', '井盖在路北侧', '已经补充'],
    ['urge', '小孩放学要经过', '已经催办'],
  ]) {
    await page
      .locator('summary')
      .nth(action === 'urge' ? 0 : 1)
      .click()
    await page.fill(`#t-${action}`, text)
    await page.locator(`form:has(#t-${action}) button`).click()
    await page.getByText(word).waitFor()
  }
  const [dispatcher, rl, head, office] = await Promise.all(
    ['dispatcher', 'rl', 'rl-head', 'office'].map(staff),
  )
  await dispatcher.act(no, 'dispatch', { lead: 'rl', brief: '白纸坊街道建功南里暖气井盖缺失', category: '030102' })
  await rl.act(no, 'sign')
  await rl.act(no, 'contact', { how: 'phone', text: '已联系' })
  await rl.act(no, 'reply', { report: '已更换', text: '井盖已于今日更换。', claim: 'solved' })
  await head.act(no, 'sign_reply')
  await dispatcher.act(no, 'review_pass')
  await look(page, no, code)
  check((await page.locator('.rep').innerText()) === '井盖已于今日更换。', 'the reply is there')
  for (const [name, value] of [
    ['contacted', 'yes'],
    ['solved', 'yes'],
    ['satisfied', 'satisfied'],
    ['accurate', 'yes'],
  ])
    await page.locator(`input[name=${name}][value=${value}]`).check()
  await page.locator('form.box button').click()
  await page.getByText('谢谢您的评价').waitFor()
  const ticket = await office.get(`tickets/${no}`)
  const files = await office.get(`tickets/${no}/files`)
  Object.assign(seen, { state: ticket.state, verdict: ticket.visit, files: files.items.length })
  check(ticket.state === 'closed', `it is ${ticket.state}`)

  // Judged, with scripts for the judge alone.
  const judge = await open(PHONE, { deaf: true })
  await judge.goto(`${address}public/`)
  await shot(judge, 'public-home')
  await judge.fill('#no', no)
  await judge.fill('#code', '000000')
  await judge.locator('form button').click()
  await judge.locator('#e-look').waitFor()
  await shot(judge, 'public-not-found')
  await judge.goto(`${address}public/message`)
  await shot(judge, 'public-message')
  await judge.locator('button[type=submit]').click()
  await judge.locator('.err').waitFor()
  await shot(judge, 'public-errors')
  await write(judge)
  await judge.locator('button[type=submit]').click()
  await judge.locator('[data-no]').waitFor()
  await shot(judge, 'public-receipt')
  await look(judge, no, code)
  await shot(judge, 'public-closed')
  await judge.goto(`${address}public/?lang=en`)
  check((await judge.locator('html').getAttribute('lang')) === 'en', 'English')
  await shot(judge, 'public-english')
  seen.requests = [...new Set(seen.requests)]
} catch (e) {
  const stood = browser.contexts().flatMap((c) => c.pages())
  for (const [n, one] of stood.entries()) if (folder) await take(one, `failed-${n}`).catch(() => {})
  errors.push(String(e?.stack ?? e))
} finally {
  await browser.close()
  end()
}
console.log(JSON.stringify({ ...seen, judged, errors }))
if (errors.length) process.exitCode = 1
