// From a call to closed by the hands of all desks (round.mjs), on the real server.
//
// node e2e/loop.mjs ADDRESS [FOLDER]; CHROMIUM names the browser; with a folder what stood there at a failure is drawn. Whoever starts it
// plays the citizen and the agent (see stage.mjs). Prints what was seen as JSON; anything missing is an error.
import { others, signIn, stage } from './stage.mjs'
import { round, told } from './round.mjs'

const [at, folder] = process.argv.slice(2)
const address = at.replace(/\/?$/, '/')
const { ask, end } = others()
const { browser, open, take, errors } = await stage(folder)
const CALLER = '12000000001'
const WORDS = '我住白纸坊建功南里，昨天供暖了，屋里才15度，我78了，冷得很，暖气不热。'
let seen = {}
try {
  await ask('agent', { user: '8002' })
  await ask('dial', { name: 'liu', as: CALLER })
  const lead = await open({ width: 1366, height: 768 })
  await signIn(lead, address, 'lead')
  await lead.waitForURL(/#\/wall/)
  // The agent's telephone answers by itself, and a number is drawn.
  let draft
  for (let n = 0; n < 100 && !draft; n++) {
    await lead.waitForTimeout(200)
    const page = await told(lead, '/api/v1/tickets?numbered=true&state=draft')
    draft = page.items.find((one) => one.caller === CALLER)
  }
  if (!draft) throw new Error('no number was drawn')
  await ask('hang', { name: 'liu' })
  // Her words, as the desk saves them; the form itself is walked in pages.mjs.
  const saved = await lead.evaluate(
    async ([no, WORDS, CALLER]) => {
      const path = `/api/v1/tickets/${no}`
      for (let n = 0; n < 20; n++) {
        const { version } = await (await fetch(path)).json()
        const body = {
          version,
          state: 'accepted',
          type: 'help',
          category: '030101',
          street: '110102019',
          title: '建功南里居民反映供暖首日室温15度',
          content: WORDS,
          brief: '市民反映白纸坊建功南里供暖后室温 15 度，希望上门检查。',
          secrecy: 'normal',
          contact: { name: '刘女士', number: CALLER, address: '建功南里' },
        }
        const answer = await fetch(path, {
          method: 'PATCH',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        })
        // The engine still writes of the call that has just ended.
        if (answer.status !== 409) return { status: answer.status, body: await answer.text() }
      }
      return { status: 409 }
    },
    [draft.no, WORDS, CALLER],
  )
  if (saved.status !== 200) throw new Error(`not accepted: ${JSON.stringify(saved)}`)
  await lead.context().close()
  seen = await round({ open, address, no: draft.no, shot: async () => {}, secret: ['我78了', '12000000001'] })
} catch (e) {
  const stood = browser.contexts().flatMap((c) => c.pages())
  for (const [n, one] of stood.entries()) if (folder) await take(one, `failed-${n}`).catch(() => {})
  errors.push(String(e?.stack ?? e))
} finally {
  await browser.close()
  end()
}
console.log(JSON.stringify({ ...seen, errors }))
if (errors.length) process.exitCode = 1
