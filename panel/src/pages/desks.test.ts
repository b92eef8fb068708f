import { VueQueryPlugin } from '@tanstack/vue-query'
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { h, type Component } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { i18n, withDesks } from '../i18n'
import { useSession } from '../stores/session'
import Dispatch from './Dispatch.vue'
import Ticket from './Ticket.vue'
import Unit from './Unit.vue'
import Visits from './Visits.vue'

interface Asked {
  path: string
  body: Record<string, unknown>
}
type Answers = Record<string, [number, unknown]>

/** A server that answers by method and path (its query left off), and remembers what was done. */
function server(answers: Answers) {
  const done: Asked[] = []
  vi.stubGlobal('fetch', async (path: string, init: RequestInit = {}) => {
    const method = init.method ?? 'GET'
    if (method !== 'GET') done.push({ path, body: JSON.parse(String(init.body)) as Record<string, unknown> })
    const [status, body] = answers[`${method} ${path.split('?')[0]}`] ?? [
      200,
      method === 'GET' ? { items: [], next: null } : BASE,
    ]
    return new Response(JSON.stringify(body), { status })
  })
  return done
}

async function page(component: Component, user: object, props: object = {}) {
  const pinia = createPinia()
  setActivePinia(pinia)
  useSession().$patch({ user } as never)
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:rest(.*)*', component: { render: () => h('div') } }],
  })
  document.body.innerHTML = '<div id="bar-slot"></div><div id="app"></div>'
  const shown = mount(component, {
    attachTo: document.getElementById('app') as HTMLElement,
    props: props as never,
    global: { plugins: [pinia, i18n, router, VueQueryPlugin] },
  })
  await flushPromises()
  await flushPromises()
  return shown
}
const press = async (code: string, more: KeyboardEventInit = {}) => {
  document.body.dispatchEvent(
    new KeyboardEvent('keydown', { code, key: code, bubbles: true, cancelable: true, ...more }),
  )
  await flushPromises()
}

const BASE = {
  id: 't-1',
  no: '261123002121',
  state: 'accepted',
  channel: 'phone',
  type: 'report',
  category: '040104',
  street: '110102007',
  lead: null,
  assist: [],
  urgency: 'U',
  title: '楼道停放电动车',
  content: '原话',
  brief: '市民反映楼道停放电动自行车',
  tags: [],
  caller: '12000000001',
  secrecy: 'normal',
  calls: [],
  created_at: '2026-11-23T09:31:00+08:00',
  accepted_at: '2026-11-23T09:31:00+08:00',
  due_at: '2026-11-24T09:31:00+08:00',
  closed_at: null,
  version: 3,
  actions: ['dispatch', 'ask_clarification', 'reject'],
  clocks: [],
}
const UNITS = {
  items: [
    { key: 'xfjy', name: '西城区消防救援支队', short: '西城消防支队', parent: null, level: 1 },
    { key: 'st007', name: '月坛街道办事处', short: '月坛街道', parent: null, level: 1 },
    { key: 'rl', name: '北京热力集团西城分公司', short: '热力西城', parent: null, level: 1 },
  ],
  next: null,
}
const LEAVES = { items: [{ code: '040104', lead: 'xfjy', assist: ['street'] }], next: null }
const of = (ticket: object): Answers => ({
  'GET /api/v1/tickets': [200, { items: [ticket], next: null }],
  'GET /api/v1/tickets/visits': [200, { items: [ticket], next: null }],
  'GET /api/v1/tickets/261123002121': [200, ticket],
  'GET /api/v1/tickets/boxes': [
    200,
    { items: [{ state: 'accepted', count: 12, late: 1, soon: 2 }], next: null },
  ],
  'GET /api/v1/units': [200, UNITS],
  'GET /api/v1/categories': [200, LEAVES],
})
const ACT = 'POST /api/v1/tickets/261123002121/actions'
const PATH = '/api/v1/tickets/261123002121/actions'
const DISPATCHER = { username: 'dispatcher', roles: ['dispatcher'], unit: null }
const RL = { username: 'rl', roles: ['unit'], unit: 'rl' }

describe('the desks', () => {
  beforeAll(withDesks)
  beforeEach(() => (i18n.global.locale.value = 'zh-CN'))
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
    document.body.innerHTML = ''
  })

  it('propose the catalogue’s unit and its helpers; D sends an urgent one at once', async () => {
    const done = server({ ...of(BASE), [ACT]: [200, { ...BASE, state: 'dispatched', actions: [] }] })
    const desk = await page(Dispatch, DISPATCHER)
    expect(document.querySelector('[data-box=accepted]')?.textContent).toContain('12')
    expect(desk.findAll('[data-unit]').map((u) => u.attributes('data-unit'))).toEqual(['xfjy', 'st007'])
    expect(desk.get('[data-unit=xfjy]').element.matches(':checked')).toBe(true)
    await press('KeyD')
    expect(done).toEqual([
      { path: PATH, body: { action: 'dispatch', version: 3, lead: 'xfjy', assist: ['st007'] } },
    ])
    desk.unmount()
  })

  it('let a digit choose, and take back for ten seconds what can wait', async () => {
    const done = server({ ...of({ ...BASE, urgency: 'N' }), [ACT]: [200, BASE] })
    const desk = await page(Dispatch, DISPATCHER)
    vi.useFakeTimers()
    await press('Digit2')
    await press('KeyD')
    expect(done, 'nothing is sent yet').toEqual([])
    await desk.get('[data-undo]').trigger('click')
    vi.advanceTimersByTime(11_000)
    expect(done, 'it was taken back').toEqual([])
    await press('Digit2')
    await press('KeyD')
    vi.advanceTimersByTime(11_000)
    vi.useRealTimers()
    await flushPromises()
    expect(done.map((d) => [d.body.lead, d.body.assist])).toEqual([['st007', []]])
    desk.unmount()
  })

  it('say what the server refuses at its field, and never draw a deed it does not name', async () => {
    const wrong = { title: 'x', errors: [{ field: 'missing', code: 'needed', detail: 'missing' }] }
    const done = server({ ...of({ ...BASE, actions: ['ask_clarification'] }), [ACT]: [422, wrong] })
    const desk = await page(Dispatch, DISPATCHER)
    expect(desk.find('[data-send]').exists()).toBe(false)
    expect(desk.findAll('[data-action]').map((b) => b.attributes('data-action'))).toEqual([
      'ask_clarification',
    ])
    await press('KeyD')
    expect(done).toEqual([])
    await desk.get('[data-action=ask_clarification]').trigger('click')
    const form = desk.get('[data-form=ask_clarification]')
    await form.trigger('submit')
    expect(done, 'an empty field is seen here').toEqual([])
    await form.get('[data-field=missing]').setValue('门牌')
    await form.trigger('submit')
    await flushPromises()
    expect(done[0]?.body).toEqual({ action: 'ask_clarification', version: 3, missing: '门牌' })
    expect(form.get('[data-field=missing]').attributes('aria-invalid')).toBe('true')
    expect(form.text()).toContain('请填写')
    desk.unmount()
  })

  it('tell that somebody was faster, and look again', async () => {
    const answers: Answers = { ...of(BASE), [ACT]: [409, { title: 'changed', code: 'changed' }] }
    const done = server(answers)
    const desk = await page(Dispatch, DISPATCHER)
    answers['GET /api/v1/tickets/261123002121'] = [200, { ...BASE, version: 5, lead: 'rl' }]
    await press('KeyD')
    await flushPromises()
    expect(done, 'decided on what is so no more').toHaveLength(1)
    expect(desk.get('[role=alert]').text()).toContain('刚才有人改过')
    desk.unmount()
  })

  it('do it on the new version where only a clock has written', async () => {
    const answers: Answers = { ...of(BASE), [ACT]: [409, { title: 'changed', code: 'changed' }] }
    const done = server(answers)
    const desk = await page(Dispatch, DISPATCHER)
    answers['GET /api/v1/tickets/261123002121'] = [200, { ...BASE, version: 5 }]
    await press('KeyD')
    await flushPromises()
    expect(done.map((d) => d.body.version)).toEqual([3, 5])
    desk.unmount()
  })

  it('sign many at once, but for what is urgent', async () => {
    const open = { ...BASE, state: 'dispatched', lead: 'rl', actions: ['sign'] }
    const items = [
      { ...open, id: 'a', no: '261123002121', urgency: 'N' },
      { ...open, id: 'b', no: '261123002139', urgency: 'U' },
      { ...open, id: 'c', no: '261123002147', urgency: 'L' },
    ]
    const done = server({ ...of(items[0] as object), 'GET /api/v1/tickets': [200, { items, next: null }] })
    const desk = await page(Unit, RL)
    const bulk = desk.get('[data-bulk]')
    expect(bulk.text()).toContain('2')
    await bulk.trigger('click')
    await flushPromises()
    expect(done.map((d) => d.path.split('/')[4])).toEqual(['261123002121', '261123002147'])
    desk.unmount()
  })

  it('name what a reply lacks, keep what is written by ticket, and hand both texts in', async () => {
    const open = { ...BASE, state: 'handling', lead: 'rl', actions: ['contact', 'reply'], contacts: [] }
    const done = server({ ...of(open), [ACT]: [200, { ...open, state: 'replied', actions: [] }] })
    const desk = await page(Unit, RL)
    expect(desk.get('[data-lacks]').text()).toBe('缺：联系记录、内部报告、答复、结果')
    await desk.get('#r-report').setValue('到场测温')
    await press('Enter', { ctrlKey: true })
    expect(done, 'a text for the citizen is needed').toEqual([])
    expect(desk.get('#r-text').attributes('aria-invalid')).toBe('true')
    await desk.get('#r-text').setValue('已修复')
    await desk.get('input[value=solved]').setValue()
    await press('Enter', { ctrlKey: true })
    await flushPromises()
    expect(done[0]?.body).toEqual({
      action: 'reply',
      version: 3,
      report: '到场测温',
      text: '已修复',
      claim: 'solved',
    })
    desk.unmount()
  })

  it('show nothing of the matter before the citizen is known, then ask four questions apart', async () => {
    const open = { ...BASE, state: 'awaiting_visit', actions: ['visit', 'visit_try'], caller: '12000000001' }
    const done = server({ ...of(open), [ACT]: [200, { ...open, state: 'redo', actions: [] }] })
    const desk = await page(Visits, { username: 'visitor', roles: ['visitor'], unit: null })
    expect(desk.get('[data-identity]').text()).toContain('11-23')
    expect(desk.text()).not.toContain('楼道')
    expect(desk.find('[data-save]').exists()).toBe(false)
    await desk.get('[data-known]').trigger('click')
    expect(desk.text()).toContain('市民反映楼道停放电动自行车')
    await desk.get('[data-save]').trigger('click')
    expect(done, 'four answers, or at least three').toEqual([])
    await desk.get('[data-q=contacted] input[value=false]').trigger('change')
    await desk.get('[data-q=solved] input[value=no]').setValue()
    await desk.get('[data-q=satisfied] input[value=not]').setValue()
    expect((desk.get('[data-redo]').element as HTMLInputElement).checked, 'unhappy: proposed').toBe(true)
    await desk.get('[data-save]').trigger('click')
    await flushPromises()
    expect(done[0]?.body).toEqual({
      action: 'visit',
      version: 3,
      contacted: false,
      solved: 'no',
      satisfied: 'not',
      matches: null,
      redo: true,
    })
    desk.unmount()
  })

  it('draw a ticket’s clocks, its history in words, and claim beside verdict', async () => {
    const clocks = [
      {
        name: 'dispatch',
        due_at: '2026-11-23T09:41:00+08:00',
        met_at: '2026-11-23T09:35:00+08:00',
        state: 'met',
        passed_pct: 40,
      },
      {
        name: 'contact',
        due_at: '2026-11-23T10:01:00+08:00',
        met_at: null,
        state: 'missed',
        passed_pct: 300,
      },
    ]
    const reply = {
      text: '已修复',
      report: '内部',
      claim: 'solved',
      by: 'rl',
      at: '2026-11-23T12:00:00+08:00',
    }
    const visit = {
      contacted: false,
      solved: 'no',
      satisfied: 'not',
      matches: false,
      at: '2026-11-24T09:52:00+08:00',
      tries: [],
    }
    const x = { ...BASE, state: 'redo', redos: 1, clocks, reply, visit, actions: [] }
    const lines = [
      {
        n: 1,
        at: '2026-11-23T09:35:00+08:00',
        kind: 'dispatch',
        actor: 'user:dispatcher',
        data: { lead: 'rl', assist: [] },
        personal: null,
      },
      {
        n: 2,
        at: '2026-11-24T09:53:00+08:00',
        kind: 'redo',
        actor: 'user:visitor',
        data: {},
        personal: { reason: '没修好' },
      },
    ]
    server({ ...of(x), 'GET /api/v1/tickets/261123002121/events': [200, { items: lines, next: null }] })
    const desk = await page(
      Ticket,
      { username: 'office', roles: ['office'], unit: null },
      { no: '261123002121' },
    )
    expect(
      desk.findAll('[data-clock]').map((c) => [c.attributes('data-clock'), c.attributes('data-light')]),
    ).toEqual([
      ['dispatch', 'green'],
      ['contact', 'red'],
    ])
    expect(desk.findAll('[data-kind]').map((l) => l.text())).toEqual([
      expect.stringMatching(/重办.*没修好/s),
      expect.stringContaining('派单至热力西城（主办）'),
    ])
    expect(desk.get('[data-agreement]').attributes('data-agreement')).toBe('differs')
    expect(desk.text()).toContain('未联系')
    desk.unmount()
  })
})
