// docs/panel-pictures.md: the design's picture and our own beside each other, for each page and state that was drawn.
//
// node e2e/beside.mjs [DESIGN]: after e2e/pages.mjs has filled docs/img/panel. DESIGN is the folder of the designs' pictures, scaled
// down into docs/img/design; without it those that are there are kept.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { chromium } from 'playwright-core'

const docs = new URL('../../docs/', import.meta.url).pathname
const from = process.argv[2]
const WIDTH = 900

/** Ours, what it shows, and the design's picture where there is one. */
const PAGES = [
  ['login', 'login', '登录'],
  ['login-wrong', null, '登录，密码不对'],
  ['work-offline', null, '工作台，未签入'],
  ['work-idle', null, '工作台，空闲'],
  ['work-offered', 'agent-incoming', '工作台，来电'],
  ['work-talking', 'agent-workspace', '工作台，通话'],
  ['work-talking-dark', 'agent-workspace-dark', '工作台，通话，深色'],
  ['work-talking-en', null, '工作台，通话，英文'],
  ['work-knowledge', null, '工作台，知识'],
  ['work-stale', null, '工作台，待核的知识'],
  ['work-special', null, '特殊来电'],
  ['work-link', null, '关联'],
  ['work-split', null, '拆单'],
  ['work-held', null, '保持'],
  ['work-consult', null, '咨询'],
  ['work-conference', null, '三方'],
  ['work-line_lost', null, '重连，声音仍通'],
  ['work-crisis', null, '危机'],
  ['work-wrap_up', null, '话后'],
  ['work-no_microphone', null, '没有话筒'],
  ['work-both_lost', null, '服务器失去联系'],
  ['sheet-break', null, '申请小休'],
  ['sheet-transfer', null, '转接'],
  ['sheet-relay', null, '统一接转'],
  ['sheet-keys', null, '快捷键表'],
  ['wall', 'supervisor-wall', '监控，1920×1080'],
  ['wall-1366', null, '监控，1366×768'],
  ['wall-tv', null, '大屏'],
  ['people', null, '同事'],
  ['roster-requests', null, '班表，申请'],
  ['roster-seats', null, '班表，需要的坐席'],
  ['roster-sheet', null, '班表，交接单'],
  ['roster-findings', null, '班表，检查'],
  ['kb', null, '知识'],
  ['kb-form', null, '知识，撰写'],
  ['kb-review', null, '知识，热线办审核'],
  ['kb-contradicted', null, '知识，不能发布'],
  ['kb-notices', null, '知识，政策变更单'],
  ['kb-units', null, '知识，各单位'],
  ['kb-gaps', null, '知识，缺口'],
  ['callbacks', null, '回呼'],
  ['messages', null, '留言'],
  ['paper', null, '系统中断补录'],
  ['admin-users', null, '管理，用户'],
  ['admin-lines', null, '管理，线路'],
  ['admin-queues', null, '管理，队列'],
  ['admin-flows', null, '管理，流程'],
  ['admin-prompts', null, '管理，语音'],
  ['admin-numbers', null, '管理，号码'],
  ['admin-sessions', null, '管理，一把手接听'],
  ['calls', null, '通话'],
  ['calls-none', null, '通话，没有这一通'],
  ['tickets', null, '工单'],
  ['ticket', null, '一件工单，刚受理'],
  ['ticket-redo', 'ticket', '一件工单，重办'],
  ['ticket-closed', null, '一件工单，办结'],
  ['dispatch', 'dispatcher', '派单'],
  ['dispatch-undo', null, '派单，十秒内可撤回'],
  ['dispatch-return', null, '退单待审'],
  ['dispatch-review', null, '答复待审核'],
  ['unit', 'unit-inbox', '承办单位，待签收'],
  ['unit-return', null, '承办单位，退单'],
  ['unit-reply-1', null, '承办单位，填写答复'],
  ['unit-redo', null, '承办单位，重办'],
  ['unit-head', null, '负责人签发'],
  ['unit-paper', null, '审签单'],
  ['visits', null, '回访，先问身份'],
  ['visits-asked', null, '回访，四项分别询问'],
  ['office', null, '热线办'],
  ['office-late', null, '热线办，超时清单'],
  ['rates', null, '三率两度，数字由哪些工单算出'],
]
const BARS = [
  'ready', 'not_ready', 'break', 'offered_auto', 'offered_ring', 'on_call', 'muted', 'recording_paused', 'held', 'consult',
  'conference', 'crisis', 'wrap_up', 'crisis_rest', 'not_responding', 'line_lost', 'both_lost', 'no_microphone', 'taken_over',
] // prettier-ignore

async function scaleDown() {
  mkdirSync(`${docs}img/design`, { recursive: true })
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  })
  const page = await browser.newPage({ viewport: { width: WIDTH, height: 600 } })
  const cdp = await page.context().newCDPSession(page)
  for (const name of [...new Set(PAGES.map((one) => one[1]).filter(Boolean)), 'softphone-states']) {
    const bytes = readFileSync(`${from}/${name}.png`, 'base64')
    await page.setContent(
      `<body style="margin:0"><img style="display:block;width:${WIDTH}px" src="data:image/png;base64,${bytes}">`,
    )
    const height = await page.evaluate(async () => {
      await document.images[0].decode()
      return document.images[0].offsetHeight
    })
    const clip = { x: 0, y: 0, width: WIDTH, height, scale: 1 }
    const { data } = await cdp.send('Page.captureScreenshot', {
      format: 'webp',
      quality: 75,
      clip,
      captureBeyondViewport: true,
    })
    writeFileSync(`${docs}img/design/${name}.webp`, Buffer.from(data, 'base64'))
  }
  await browser.close()
}

if (from) await scaleDown()
const ours = (name) => (existsSync(`${docs}img/panel/${name}.webp`) ? `![](img/panel/${name}.webp)` : '')
const rows = PAGES.filter(([name]) => ours(name)).map(
  ([name, design, what]) =>
    `| ${what} | ${design ? `![](img/design/${design}.webp)` : '—'} | ${ours(name)} |`,
)
const bars = BARS.filter((name) => ours(`bar-${name}`)).map(
  (name) => `| \`${name}\` | ${ours(`bar-${name}`)} |`,
)
writeFileSync(
  `${docs}panel-pictures.md`,
  `# The panel beside its design

Left the design's picture, right our page on the real server with real calls, drawn by the test
\`every_page_and_state_is_there_and_accessible\`, which also judges each of them with axe-core (WCAG 2.0–2.2, A and AA). Anew:

\`\`\`sh
cd panel && npm run build && cd ..
HOTLINE_PICTURES=docs/img/panel cargo test --test it every_page_and
cd panel && node e2e/beside.mjs
\`\`\`

What the pictures have and the pages do not yet: 拆单 and 关联, the four promises under the form, events and similar tickets, the
unit's rates and 隐号拨打, the word of the chain over a history. 在岗 and 缺员 on the wall are the roster's.

| page | design | ours |
|---|---|---|
${rows.join('\n')}

## The bar in all its states

![](img/design/softphone-states.webp)

| state | ours |
|---|---|
${bars.join('\n')}
`,
)
