import { VueQueryPlugin } from '@tanstack/vue-query'
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { i18n } from '../../i18n'
import { useCti } from '../../stores/cti'
import TicketForm from './TicketForm.vue'

const DRAFT = {
  id: 't-1',
  no: '261123000018',
  state: 'draft',
  secrecy: 'normal',
  calls: ['c-1'],
  version: 2,
}

interface Asked {
  method: string
  path: string
  body: Record<string, unknown> | null
}

/** The server: what it answers to the next PATCH, one after the other. */
function server(...answers: [number, unknown][]) {
  const asked: Asked[] = []
  vi.stubGlobal('fetch', async (path: string, init: RequestInit = {}) => {
    const method = init.method ?? 'GET'
    asked.push({ method, path, body: init.body ? JSON.parse(String(init.body)) : null })
    const [status, body] = method === 'PATCH' ? (answers.shift() ?? [500, {}]) : [200, DRAFT]
    return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
  })
  const patches = () => asked.filter((one) => one.method === 'PATCH')
  return { patches }
}

async function form(outbound = false, more: { wrapping?: boolean; call?: string } = {}) {
  const pinia = createPinia()
  setActivePinia(pinia)
  const props = {
    ticket: 'c-1',
    no: DRAFT.no,
    code: null,
    caller: '12000000001',
    wrapping: true,
    outbound,
    ...more,
  }
  const page = mount(TicketForm, {
    props,
    attachTo: document.body,
    global: { plugins: [pinia, i18n, VueQueryPlugin] },
  })
  await flushPromises()
  return page
}

describe('the form of a ticket', () => {
  beforeEach(() => (i18n.global.locale.value = 'zh-CN'))
  afterEach(() => {
    vi.unstubAllGlobals()
    document.body.innerHTML = ''
  })

  it('saves what was written and is closed to further writing', async () => {
    const { patches } = server([200, { ...DRAFT, state: 'accepted', version: 4 }])
    const page = await form()
    await page.get('input[name=secrecy][value=normal]').setValue()
    await page.get('#words').setValue('建功南里室温只有十五度。')
    await page.get('[data-goal=accepted]').trigger('click')
    await flushPromises()
    expect(patches()).toHaveLength(1)
    expect(patches()[0]).toMatchObject({
      path: '/api/v1/tickets/c-1',
      body: {
        version: 2,
        state: 'accepted',
        title: '建功南里室温只有十五度',
        contact: { number: '12000000001' },
      },
    })
    expect(page.get('fieldset').attributes('disabled')).toBeDefined()
    expect(page.find('[data-goal]').exists()).toBe(false)
    expect(page.text()).toContain('已受理')
    page.unmount()
  })

  it('shows what is missing at its field, and no longer once it is being mended', async () => {
    const errors = [
      { field: 'category', code: 'needed', detail: '' },
      { field: 'content', code: 'needed', detail: '' },
    ]
    const { patches } = server([422, { code: 'refused', title: 'no', errors }])
    const page = await form()
    await page.get('input[name=secrecy][value=normal]').setValue()
    await page.get('[data-goal=closed]').trigger('click')
    await flushPromises()
    expect(patches()[0]?.body).toMatchObject({ state: 'closed' })
    expect(page.get('#words').attributes('aria-invalid')).toBe('true')
    expect(page.get('#e-content').text()).toBe('必填')
    expect(page.findAll('[role=combobox][aria-invalid=true]')).toHaveLength(1)
    expect(document.activeElement).toBe(page.get('#words').element)
    await page.get('#words').setValue('问办事时间')
    await flushPromises()
    expect(page.find('#e-content').exists()).toBe(false)
    expect(document.activeElement, 'the next wrong field does not take the focus').toBe(
      page.get('#words').element,
    )
    page.unmount()
  })

  it('does not save before the caller was asked whether to keep it confidential', async () => {
    const { patches } = server()
    const page = await form()
    await page.get('[data-goal=accepted]').trigger('click')
    await flushPromises()
    expect(patches()).toHaveLength(0)
    expect(page.get('[role=alert]').text()).toContain('请先询问是否保密')
    expect(page.find('#e-secrecy').exists()).toBe(true)
    await page.get('input[name=secrecy][value=secret]').setValue()
    await flushPromises()
    expect(page.find('#e-secrecy').exists()).toBe(false)
    page.unmount()
  })

  it('is urgent as soon as one of the four questions is answered with yes', async () => {
    const { patches } = server([200, { ...DRAFT, state: 'accepted', version: 3 }])
    const page = await form()
    await page.get('input[name=secrecy][value=normal]').setValue()
    await page.get('input[type=checkbox][value=people]').setValue(true)
    await page.get('[data-goal=accepted]').trigger('click')
    await flushPromises()
    expect(patches()[0]?.body).toMatchObject({ urgency: 'U' })
    page.unmount()
  })

  it('makes a ticket void with a reason', async () => {
    const { patches } = server([200, { ...DRAFT, state: 'void', version: 3 }])
    const page = await form()
    await page.get('[data-goal=void]').trigger('click')
    await page.get('#void-reason').setValue('拨错号码')
    await page.get('footer form').trigger('submit')
    await flushPromises()
    expect(patches()[0]?.body).toMatchObject({ state: 'void', reason: '拨错号码' })
    expect(page.text()).toContain('作废')
    page.unmount()
  })

  it('lets wrap-up end when the ticket is saved and not before', async () => {
    const errors = [{ field: 'street', code: 'needed', detail: '' }]
    const { patches } = server(
      [422, { code: 'refused', title: 'no', errors }],
      [200, { ...DRAFT, state: 'accepted', version: 4 }],
    )
    const page = await form()
    await page.get('input[name=secrecy][value=normal]').setValue()
    const cti = useCti()
    // There is no line in this test: a command that gets so far waits for one.
    const finish = async () => {
      void cti.press('finish', true)
      await flushPromises()
      return cti.busy.has('wrapup.finish')
    }
    expect(await finish()).toBe(false)
    expect(page.findAll('[role=combobox][aria-invalid=true]')).toHaveLength(1)
    expect(await finish()).toBe(true)
    expect(patches()).toHaveLength(2)
    page.unmount()
  })

  it('ends wrap-up at once when there is no form, and saves nothing', async () => {
    const { patches } = server()
    const page = await form()
    page.unmount()
    const cti = useCti()
    void cti.press('finish', true)
    await flushPromises()
    expect(cti.busy.has('wrapup.finish')).toBe(true)
    expect(patches()).toHaveLength(0)
  })

  it('does not hold an agent back for a server that is away, once he was told', async () => {
    const { patches } = server([503, { code: 'away', title: 'away' }])
    const page = await form()
    await page.get('input[name=secrecy][value=normal]').setValue()
    const cti = useCti()
    void cti.press('finish', true)
    await flushPromises()
    expect(page.get('[role=alert]').text()).toContain('没能提交（503）')
    expect(cti.busy.has('wrapup.finish')).toBe(false)
    void cti.press('finish', true)
    await flushPromises()
    expect(patches()).toHaveLength(1)
    expect(cti.busy.has('wrapup.finish')).toBe(true)
    page.unmount()
  })
  it('marks a special caller while the call is up, and saves it with the ticket', async () => {
    const { patches } = server([200, { ...DRAFT, state: 'accepted', version: 4 }])
    const page = await form(false, { wrapping: false, call: 'c-1' })
    const act = vi.spyOn(useCti(), 'act').mockResolvedValue(null)
    window.dispatchEvent(new KeyboardEvent('keydown', { code: 'KeyK', altKey: true }))
    await flushPromises()
    await page.get('.cards').trigger('keydown', { code: 'Digit4' })
    expect(act).toHaveBeenCalledWith('call.mark', { call: 'c-1', special: 'minor' }, { to: 'minor' })
    expect(page.get('[data-special=steps]').text()).toContain('班长')
    await page.get('#safe-time').setValue('09:00-11:30')
    await page.get('#words').setValue('孩子说被人打。')
    await page.get('[data-goal=accepted]').trigger('click')
    await flushPromises()
    expect(patches()[0]?.body).toMatchObject({
      special: 'minor',
      secrecy: 'secret',
      safe_time: '09:00-11:30',
    })
    page.unmount()
  })

  it('proposes to void the ticket of a silent caller', async () => {
    const { patches } = server([200, { ...DRAFT, state: 'void', version: 4 }])
    const page = await form(false, { wrapping: false, call: 'c-1' })
    const act = vi.spyOn(useCti(), 'act').mockResolvedValue(null)
    await page.get('[data-special=open]').trigger('click')
    await page.get('[data-special=silent]').trigger('click')
    expect(act).toHaveBeenCalledWith('call.mark', { call: 'c-1', special: 'silent' }, { to: 'silent' })
    expect(page.find('#void-reason').exists()).toBe(false)
    await page.setProps({ wrapping: true, call: null })
    await flushPromises()
    expect(page.get<HTMLInputElement>('#void-reason').element.value).toBe('静默来电')
    await page.get('#void-reason').trigger('submit')
    await flushPromises()
    expect(patches()[0]?.body).toMatchObject({ state: 'void', reason: '静默来电', special: 'silent' })
    page.unmount()
  })
})
