import { VueQueryPlugin } from '@tanstack/vue-query'
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Component } from 'vue'
import { i18n } from '../../i18n'
import '../../i18n/outbox'
import { useSession } from '../../stores/session'
import Flows from './Flows.vue'
import Numbers from './Numbers.vue'
import Outbox from './Outbox.vue'
import Sessions from './Sessions.vue'
import Users from './Users.vue'

interface Asked {
  method: string
  path: string
  body: unknown
}
type Answers = Record<string, [number, unknown]>

/** A server that answers by method and path, and remembers what was written. */
function server(answers: Answers) {
  const written: Asked[] = []
  vi.stubGlobal('fetch', async (path: string, init: RequestInit = {}) => {
    const method = init.method ?? 'GET'
    const text = typeof init.body === 'string' ? init.body : null
    if (method !== 'GET')
      written.push({ method, path, body: text?.startsWith('{') ? JSON.parse(text) : text })
    const [status, body] = answers[`${method} ${path}`] ?? [200, { items: [], next: null }]
    return new Response(status === 204 ? null : JSON.stringify(body), { status })
  })
  return written
}

async function page(component: Component, roles: string[]) {
  const pinia = createPinia()
  setActivePinia(pinia)
  useSession().$patch({ user: { username: 'admin', name: 'admin', roles, unit: null } } as never)
  const shown = mount(component, {
    attachTo: document.body,
    global: { plugins: [pinia, i18n, VueQueryPlugin], stubs: { RouterLink: true } },
  })
  await flushPromises()
  return shown
}
const at = <T extends Element>(selector: string) => {
  const found = document.querySelector<T>(selector)
  if (!found) throw new Error(`nothing is ${selector}`)
  return found
}
async function fill(name: string, value: string) {
  const input = at<HTMLInputElement>(`[name="${name}"]`)
  input.value = value
  input.dispatchEvent(new Event('input'))
  await flushPromises()
}
async function submit() {
  at('form').dispatchEvent(new Event('submit', { cancelable: true }))
  await flushPromises()
}

const USER = {
  name: '8001',
  display: '坐席8001',
  unit: null,
  roles: ['agent'],
  disabled: false,
  created_at: '2026-11-23T09:00:00+08:00',
  skills: { english: 2 },
  queues: null,
  mobile: null,
}
const DUTY = {
  id: 'rl-day',
  unit: 'rl',
  label: '客服调度',
  number: '12000071001',
  days: ['workday'],
  from: '09:00',
  to: '17:30',
  rank: 1,
  tested_at: null,
  result: null,
  tested_by: null,
  overdue: true,
  dialable: true,
}

describe('administration', () => {
  beforeEach(() => (i18n.global.locale.value = 'zh-CN'))
  afterEach(() => {
    vi.unstubAllGlobals()
    document.body.innerHTML = ''
  })

  it('adds a user with what was written, and tells what the server refuses', async () => {
    const answers: Answers = {
      'GET /api/v1/users': [200, { items: [USER], next: null }],
      'POST /api/v1/users': [
        422,
        { title: 'Nothing was changed', problems: ['a password has 8 characters'] },
      ],
    }
    const written = server(answers)
    const users = await page(Users, ['admin'])
    await users.get('[data-add]').trigger('click')
    await fill('name', '8005')
    await fill('password', 'x')
    await fill('skills', '方言 3')
    await submit()
    expect(written[0]).toEqual({
      method: 'POST',
      path: '/api/v1/users',
      body: { name: '8005', roles: ['agent'], password: 'x', skills: { 方言: 3 } },
    })
    expect(document.body.textContent).toContain('a password has 8 characters')
    answers['POST /api/v1/users'] = [201, USER]
    await submit()
    expect(document.querySelector('form'), 'the window closes').toBeNull()
  })

  it('sends of a user only what was changed', async () => {
    const written = server({ 'GET /api/v1/users': [200, { items: [USER], next: null }] })
    const users = await page(Users, ['admin'])
    await users.get('[data-user="8001"] button').trigger('click')
    await fill('skills', 'english 4')
    await submit()
    expect(written).toEqual([
      { method: 'PATCH', path: '/api/v1/users/8001', body: { skills: { english: 4 } } },
    ])
  })

  it('says at its field why a number cannot be saved', async () => {
    const refused = { field: 'number', code: 'dial_refused', detail: 'number: …' }
    const written = server({
      'GET /api/v1/numbers/duty': [200, { items: [DUTY], next: null }],
      'PATCH /api/v1/numbers/duty/rl-day': [422, { title: 'x', errors: [refused], problems: ['number: …'] }],
    })
    const numbers = await page(Numbers, ['admin'])
    expect(numbers.get('[data-duty]').text()).toContain('一个月未试拨')
    await numbers.get('[aria-label="修改 12000071001"]').trigger('click')
    await fill('number', '96069')
    await submit()
    expect(written[0]?.body).toEqual({ number: '96069' })
    expect(at('[role=alert]').textContent).toContain('[dial] allow')
  })

  it('dials a test for leads, who may note one themselves, and lets nobody but the administrator change rows', async () => {
    const written = server({
      'GET /api/v1/numbers/duty': [200, { items: [DUTY], next: null }],
      'POST /api/v1/numbers/duty/rl-day/test': [202, { call: 'c-01-00001-0000000007' }],
    })
    expect((await page(Numbers, ['office'])).findAll('[data-duty] button')).toHaveLength(0)
    const numbers = await page(Numbers, ['lead'])
    expect(numbers.findAll('[aria-label^="修改"]')).toHaveLength(0)
    const dial = numbers.get('[aria-label="试拨 12000071001"]')
    await dial.trigger('click')
    await flushPromises()
    expect(written.splice(0)).toEqual([
      { method: 'POST', path: '/api/v1/numbers/duty/rl-day/test', body: null },
    ])
    expect((dial.element as HTMLButtonElement).disabled, 'until its result is there').toBe(true)
    await numbers.get('[aria-label^="记录"]').trigger('click')
    const result = numbers.findAll('[data-duty] button').find((b) => b.text() === '无人接听')
    await result?.trigger('click')
    await flushPromises()
    expect(written).toEqual([
      { method: 'PATCH', path: '/api/v1/numbers/duty/rl-day', body: { result: 'no_answer' } },
    ])
  })

  it('checks a flow as it is written and shows where it is wrong', async () => {
    const main = { name: 'main', in_folder: false, bytes: 6, hash: 'a', entry: true }
    const fault = { file: 'main.toml', line: 2, column: 5, message: 'no such node' }
    const written = server({
      'GET /api/v1/flow-files': [200, { items: [main], next: null, folder: '/x', writable: false }],
      'GET /api/v1/flows/main': [200, { name: 'main', hash: 'a', text: '[flow]', versions: [] }],
      'POST /api/v1/flows/check?name=main': [200, { ok: false, problems: [fault] }],
    })
    const flows = await page(Flows, ['admin'])
    expect(flows.text()).toContain('没有文件夹 /x')
    await flows.get('[data-flow=main]').trigger('click')
    await flushPromises()
    await flows.get('textarea').setValue('[flow]\nx')
    const [check, put] = flows.findAll('.acts button')
    expect((put?.element as HTMLButtonElement).disabled, 'without a folder nothing is uploaded').toBe(true)
    await check?.trigger('click')
    await flushPromises()
    expect(written[0]).toMatchObject({ path: '/api/v1/flows/check?name=main', body: '[flow]\nx' })
    expect(at('[role=alert]').textContent).toContain('main.toml:2:5: no such node')
  })

  it('plans a session of a head of a department, and shows what came of one', async () => {
    const session = {
      id: 'ls-1',
      no: 7,
      unit: 'rl',
      date: '2026-11-26',
      from: '09:30',
      to: '11:00',
      names: '张某某 总经理',
      scope: '供热',
      seat: '8004',
      recorder: '8003',
      state: 'planned',
      version: 2,
    }
    const figures = { asked: 3, taken: 1, by_others: 1, unreached: 1, tickets: 1, unfinished: 0, closed: 1 }
    const written = server({
      'GET /api/v1/leader-sessions': [200, { items: [session], next: null }],
      'GET /api/v1/leader-sessions/ls-1/report': [200, { session, ...figures, talk_ms: 61_000, calls: [] }],
    })
    const sessions = await page(Sessions, ['office'])
    await sessions.get('[aria-label="修改 7"]').trigger('click')
    await fill('to', '10:30')
    await submit()
    expect(written).toEqual([
      { method: 'PATCH', path: '/api/v1/leader-sessions/ls-1', body: { to: '10:30', version: 2 } },
    ])
    await sessions.get('[aria-label="报告 7"]').trigger('click')
    await flushPromises()
    expect(sessions.get('[data-figure=asked]').text()).toBe('3')
    expect((await page(Sessions, ['agent'])).findAll('[aria-label^="修改"]')).toHaveLength(0)
  })
})

const PUSH = {
  id: 'o-1',
  kind: 'sms',
  state: 'dead',
  ticket: 't-01-00001-0000000007',
  no: '261123000018',
  subject: 'accepted',
  to: '0001',
  text: '【西城12341】您的诉求已受理，编号261123000018，查询码••••••。',
  tries: 8,
  created_at: '2026-11-23T09:00:00+08:00',
  due_at: null,
  until: '2026-11-24T09:00:00+08:00',
  reason: 'status_503',
  receipt: null,
  done_at: '2026-11-23T10:00:00+08:00',
  by: null,
  by_reason: null,
}
const outbox = (state: string, items: unknown[]): Answers => ({
  [`GET /api/v1/outbox?state=${state}&limit=50`]: [200, { items, next: null }],
})

describe('the outbox', () => {
  it('shows dead letters first, with why, and never to whom', async () => {
    const written = server({
      ...outbox('dead', [PUSH]),
      ...outbox('held', [{ ...PUSH, id: 'o-2', state: 'held', reason: null, kind: 'webhook', to: 'rl' }]),
      'POST /api/v1/outbox/o-1/retry': [200, { ...PUSH, state: 'queued' }],
    })
    const shown = await page(Outbox, ['admin'])
    const row = shown.get('[data-push=accepted]').text()
    for (const words of ['短信', '受理', '尾号 0001', '261123000018', '••••••', '对方返回 503'])
      expect(row).toContain(words)
    await shown.get('[aria-label="再发 o-1"]').trigger('click')
    await fill('reason', '网关已修复')
    await submit()
    expect(written).toEqual([
      { method: 'POST', path: '/api/v1/outbox/o-1/retry', body: { reason: '网关已修复' } },
    ])
    await shown.get('[data-state=held]').trigger('click')
    await flushPromises()
    const held = shown.get('[data-kind=webhook]')
    expect(held.text()).toContain('热力')
    expect(shown.text()).toContain('测试模式')
    expect(held.findAll('[aria-label^="再发"]')).toHaveLength(0)
    expect(held.findAll('[aria-label^="放弃"]')).toHaveLength(1)
  })
  it('tells a lead what failed and leaves the decision to others', async () => {
    server(outbox('dead', [PUSH]))
    const shown = await page(Outbox, ['lead'])
    expect(shown.get('[data-push=accepted]').text()).toContain('对方返回 503')
    expect(shown.findAll('[aria-label^="再发"], [aria-label^="放弃"]')).toHaveLength(0)
  })
})
