import { VueQueryPlugin } from '@tanstack/vue-query'
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { createMemoryHistory, createRouter } from 'vue-router'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { i18n } from '../../i18n'
import LinkForm from './LinkForm.vue'
import Promises from './Promises.vue'
import SimilarBar from './SimilarBar.vue'

const OLD = {
  id: 't-9',
  no: '261101900015',
  state: 'handling',
  title: '暖气不热',
  created_at: '2026-11-20T09:00:00+08:00',
}

function server(answers: Record<string, unknown>) {
  const asked: { method: string; path: string; body: unknown }[] = []
  vi.stubGlobal('fetch', async (path: string, init: RequestInit = {}) => {
    const method = init.method ?? 'GET'
    asked.push({ method, path, body: init.body ? JSON.parse(String(init.body)) : null })
    const found = Object.entries(answers).find(([start]) => `${method} ${path}`.startsWith(start))
    const [status, body] = (found?.[1] ?? [404, { status: 404, title: 'no' }]) as [number, unknown]
    return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
  })
  return asked
}
const plugins = () => {
  const pinia = createPinia()
  setActivePinia(pinia)
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:rest(.*)*', component: { template: '<i />' } }],
  })
  return { plugins: [pinia, i18n, VueQueryPlugin, router] }
}

describe('a matter that is known already', () => {
  beforeEach(() => (i18n.global.locale.value = 'zh-CN'))
  afterEach(() => vi.unstubAllGlobals())

  it('is named while it is written, and its ticket can be taken', async () => {
    const asked = server({
      'GET /api/v1/tickets/similar': [
        200,
        { own: [OLD], near: 4, near_at: '2026-11-20T06:41:00+08:00', near_tickets: [] },
      ],
    })
    const matter = { category: '030101', street: '110102019', caller: '12000000001', besides: 't-1' }
    const bar = mount(SimilarBar, { props: { matter, fixed: false }, global: plugins() })
    await flushPromises()
    expect(asked[0]?.path).toContain('category=030101&street=110102019&caller=12000000001&besides=t-1')
    expect(bar.text()).toContain('近 30 天本人同类工单 1 件')
    expect(bar.text()).toContain('同街道今日同类 4 件')
    await bar.get('[aria-expanded]').trigger('click')
    await bar.get(`[aria-label$="${OLD.no}"]`).trigger('click')
    expect(bar.emitted('take')).toEqual([[OLD.no]])
  })
  it('asks nothing before there is a category', async () => {
    const asked = server({})
    const matter = { category: '', street: '', caller: '12000000001', besides: '' }
    const bar = mount(SimilarBar, { props: { matter, fixed: false }, global: plugins() })
    await flushPromises()
    expect([asked.length, bar.text()]).toEqual([0, ''])
  })
  it('gets the call, with what the caller wanted', async () => {
    const asked = server({
      'GET /api/v1/tickets/c-1': [200, { id: 't-1', version: 7 }],
      'POST /api/v1/tickets/c-1/link': [200, OLD],
    })
    const form = mount(LinkForm, {
      props: { ticket: 'c-1', into: OLD.no, said: '还没人来' },
      global: plugins(),
    })
    await form.get('form').trigger('submit')
    await flushPromises()
    expect(asked[1]?.body).toEqual({ version: 7, into: OLD.no, action: 'urge', text: '还没人来' })
    expect(form.emitted('done')?.[0]?.[0]).toMatchObject({ no: OLD.no })
  })
  it('says why it was not', async () => {
    server({
      'GET /api/v1/tickets/c-1': [200, { id: 't-1', version: 7 }],
      'POST /api/v1/tickets/c-1/link': [
        422,
        { status: 422, title: 'refused', errors: [{ field: 'into', code: 'unknown_code', detail: '' }] },
      ],
    })
    const form = mount(LinkForm, { props: { ticket: 'c-1', into: '1', said: '' }, global: plugins() })
    await form.get('form').trigger('submit')
    await flushPromises()
    expect(form.get('[role=alert]').text()).not.toBe('')
    expect(form.emitted('done')).toBeUndefined()
  })
})

describe('promises', () => {
  afterEach(() => vi.unstubAllGlobals())
  it('are four, by the rules of now', async () => {
    const names = ['dispatch', 'sign', 'contact', 'feedback', 'close']
    const items = names.map((name) => ({
      name,
      due_at: '2026-11-23T09:30:00+08:00',
      unsure: name === 'sign',
    }))
    server({ 'GET /api/v1/tickets/promises': [200, { items }] })
    const foot = mount(Promises, {
      props: { of: { type: 'help', category: '030101', urgency: 'L' } },
      global: plugins(),
    })
    await flushPromises()
    expect(foot.findAll('li').map((li) => li.text().split(' ')[0])).toEqual([
      '派单',
      '签收',
      '首次联系',
      '反馈',
    ])
    expect(foot.findAll('.tag.warn').length).toBe(1)
  })
})
