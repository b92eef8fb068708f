import { describe, expect, it } from 'vitest'
import type { Control } from './face'
import { pressed, Twice, type Press } from './keys'

const press = (code: string, more: Partial<Press> = {}): Press => ({
  code,
  altKey: false,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  isComposing: false,
  repeat: false,
  ...more,
})
const TALK: Control[] = ['mute', 'hold', 'transfer', 'keypad', 'crisis', 'hangup']

describe('keys', () => {
  it.each<[string, Press, Control[], boolean, Control | null]>([
    ['a letter outside fields', press('KeyM'), TALK, false, 'mute'],
    ['a letter in a field is text', press('KeyM'), TALK, true, null],
    ['Alt and the letter, in a field too', press('KeyM', { altKey: true }), TALK, true, 'mute'],
    ['with an IME composing', press('KeyM', { isComposing: true }), TALK, false, null],
    ['what is not shown does nothing', press('KeyA'), TALK, false, null],
    ['a key held down counts once', press('KeyX', { repeat: true }), TALK, false, null],
    ['the browser’s own', press('KeyT', { ctrlKey: true }), TALK, false, null],
    ['# is Shift 3', press('Digit3', { shiftKey: true }), TALK, false, 'keypad'],
    ['3 is not #', press('Digit3'), TALK, false, null],
    ['F9 everywhere', press('F9', { isComposing: true }), TALK, true, 'crisis'],
    ['Ctrl Enter everywhere', press('Enter', { ctrlKey: true }), ['extend', 'finish'], true, 'finish'],
    ['Enter alone is not finish', press('Enter'), ['extend', 'finish'], false, null],
    ['Ctrl Shift E in a field', press('KeyE', { ctrlKey: true, shiftKey: true }), ['extend'], true, 'extend'],
    ['Shift X rejects, X does not', press('KeyX', { shiftKey: true }), ['answer', 'reject'], false, 'reject'],
    ['X is no reject', press('KeyX'), ['answer', 'reject'], false, null],
    ['Alt 0', press('Digit0', { altKey: true }), ['police'], true, 'police'],
    ['0 alone is not', press('Digit0'), ['police'], false, null],
  ])('%s', (_, key, shown, field, control) => {
    expect(pressed(key, shown, field)).toBe(control)
  })

  it('Enter belongs to the button it is on', () => {
    expect(pressed(press('Enter'), ['retry'], false, true)).toBeNull()
    expect(pressed(press('Enter'), ['retry'], false, false)).toBe('retry')
  })

  it('hanging up takes two presses within a second, and rests for one', () => {
    const twice = new Twice()
    expect([0, 1500, 2400, 2500, 3300, 3500, 3600].map((at) => twice.press(at))).toEqual([
      false,
      false,
      true,
      false,
      false,
      false,
      true,
    ])
  })
})
