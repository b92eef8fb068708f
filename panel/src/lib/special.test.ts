import { describe, expect, it } from 'vitest'
import en from '../i18n/en.json'
import zh from '../i18n/zh-CN.json'
import { EMPTY, type Draft } from './drafts'
import { changeOf, filled, needed } from './finish'
import { chosen, noCall, safeTime, SPECIALS } from './special'

const draft = (more: Partial<Draft> = {}): Draft => ({ ...EMPTY, touched: [], asks: [], ...more })
const with_ = (of: Draft, special: string): Draft => ({ ...of, ...chosen(of, special) })

describe('special callers', () => {
  it('have a name and steps in both languages', () => {
    for (const words of [zh, en])
      for (const special of SPECIALS) {
        expect(words.specials[special], special).toBeTruthy()
        expect(words.procedure[special].split('\n').length, special).toBeGreaterThan(1)
      }
    expect(zh.procedure.suicide).toContain('我在听，您现在在哪里？身边有人吗？')
    expect(zh.procedure.emergency).toContain('请马上到室外，不要开关电灯、不要按电梯')
  })
  it('are confidential where the rules say so, and need neither leaf nor street', () => {
    for (const special of ['suicide', 'minor', 'violence']) {
      const now = with_(draft({ secrecy: 'normal', type: 'help', content: '孩子被打' }), special)
      expect(now.secrecy).toBe('secret')
      expect(filled(now)).toBe(needed(now).length)
      expect(changeOf(now, 'accepted')).toMatchObject({ special, secrecy: 'secret' })
    }
    expect(with_(draft({ secrecy: 'anonymous' }), 'minor').secrecy).toBe('anonymous')
    // A slip of the hand leaves nothing behind.
    expect(with_(with_(draft(), 'minor'), 'foreign').secrecy).toBe('')
    expect(with_(with_(draft({ secrecy: 'secret', touched: ['secrecy'] }), 'minor'), '').secrecy).toBe(
      'secret',
    )
  })
  it('set how the citizen may be reached, unless a hand did', () => {
    expect(with_(draft(), 'deaf').notify).toBe('text_only')
    expect(with_(draft(), 'violence').notify).toBe('no_message')
    expect(with_(with_(draft(), 'deaf'), 'elderly').notify).toBe('')
    expect(with_(draft({ notify: 'any', touched: ['notify'] }), 'deaf').notify).toBe('any')
  })
  it('say nothing of what nobody touched, and take back what was said', () => {
    expect(changeOf(draft(), 'void', '拨错')).not.toHaveProperty('special')
    const back = with_(with_(draft(), 'abuse'), '')
    expect(changeOf(back, 'closed')).toMatchObject({ special: '' })
  })
})

describe('when a citizen may be called', () => {
  const at = (time: string) => Date.parse(`2026-11-26T${time}:00+08:00`)
  it('is what the server says too', () => {
    expect(noCall({ notify: 'text_only', safe_time: null }, at('10:00'))).toBe('text_only')
    const morning = { notify: 'no_message', safe_time: '09:00-11:30' }
    expect(noCall(morning, at('09:00'))).toBeNull()
    expect(noCall(morning, at('11:30'))).toBe('not_now')
    const night = { safe_time: '22:00-06:00' }
    expect(noCall(night, at('23:10'))).toBeNull()
    expect(noCall(night, at('12:00'))).toBe('not_now')
    expect(noCall({}, at('03:00'))).toBeNull()
  })
  it('is read as it is written', () => {
    expect(safeTime('09:00-11:30')).toEqual({ from: 540, to: 690 })
    for (const odd of ['9-11', '09:00', '09:00-24:00', '09:00-09:00', '09:00-10:00-11:00', ''])
      expect(safeTime(odd), odd).toBeNull()
  })
})
