// The keys of the phone: a letter by its physical place when focus is in no field, Alt and the same letter always. Pure.
import type { PageName } from '../lib/roles'
import type { Control } from './face'

export interface Key {
  code: string
  shift?: boolean
  /** Only with Ctrl: also in fields. */
  ctrl?: boolean
  /** Only with Alt. */
  alt?: boolean
  /** In fields too, alone. */
  always?: boolean
  /** As it is printed on the button. */
  shown: string
}

const letter = (c: string): Key => ({ code: `Key${c}`, shown: c })

export const KEYS: Partial<Record<Control, Key>> = {
  answer: letter('A'),
  reject: { code: 'KeyX', shift: true, shown: '⇧ X' },
  mute: letter('M'),
  unmute: letter('M'),
  hold: letter('H'),
  retrieve: letter('H'),
  back_to_citizen: letter('H'),
  consult: letter('C'),
  transfer: letter('T'),
  complete_transfer: letter('T'),
  to_recorder: letter('T'),
  leave: letter('T'),
  conference: letter('Y'),
  to_conference: letter('Y'),
  invite: letter('Y'),
  record_pause: letter('R'),
  record_resume: letter('R'),
  keypad: { code: 'Digit3', shift: true, shown: '#' },
  assist: letter('G'),
  assist_cancel: letter('G'),
  crisis: { code: 'F9', always: true, shown: 'F9' },
  hangup: letter('X'),
  police: { code: 'Digit0', alt: true, shown: 'Alt 0' },
  relay: letter('U'),
  ready: letter('S'),
  not_ready: letter('S'),
  recover: letter('S'),
  break: letter('B'),
  break_withdraw: letter('B'),
  dial: letter('N'),
  // Alt+E opens a menu of some browsers.
  extend: { code: 'KeyE', shown: 'E' },
  finish: { code: 'Enter', ctrl: true, shown: 'Ctrl ↵' },
  login: letter('S'),
  desk_phone: letter('P'),
  how: { code: 'Slash', shift: true, shown: '?' },
  recheck: { code: 'Enter', shown: '↵' },
  retry: { code: 'Enter', shown: '↵' },
  take_over: { code: 'Enter', shown: '↵' },
}

/** After `g`: where the second letter leads. Off in a call, where G asks for help. */
export const GO: Record<string, PageName> = {
  KeyW: 'work',
  KeyL: 'wall',
  KeyC: 'calls',
  KeyT: 'tickets',
  KeyK: 'kb',
  KeyP: 'people',
}

export interface Press {
  code: string
  altKey: boolean
  ctrlKey: boolean
  metaKey: boolean
  shiftKey: boolean
  isComposing: boolean
  repeat: boolean
}

/** The control this press means among those shown; `inField`: focus is where text is written. */
export function pressed(
  press: Press,
  shown: readonly Control[],
  inField: boolean,
  onButton = false,
): Control | null {
  if (press.repeat || press.metaKey) return null
  for (const control of shown) {
    const key = KEYS[control]
    if (key && matches(press, key, inField, onButton, control)) return control
  }
  return null
}

function matches(press: Press, key: Key, inField: boolean, onButton: boolean, control: Control): boolean {
  if (press.code !== key.code) return false
  if (key.always) return !press.ctrlKey && !press.altKey
  if (key.ctrl) return press.ctrlKey && !press.altKey
  if (key.alt) return press.altKey && !press.ctrlKey
  if (control === 'extend' && press.ctrlKey && press.shiftKey) return true
  if (press.ctrlKey || press.isComposing) return false
  if (press.shiftKey !== (key.shift ?? false)) return false
  if (press.altKey) return key.code !== 'Enter'
  // Enter belongs to the button it is pressed on.
  return !inField && !(key.code === 'Enter' && onButton)
}

/** Is text written where focus is? */
export function isField(at: EventTarget | null): boolean {
  return (
    at instanceof Element &&
    at.closest('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]') !==
      null
  )
}

/** Hanging up takes the key twice within a second, and then not again for one. */
export class Twice {
  private first = -Infinity
  private rest = -Infinity
  /** True: do it. */
  press(now: number, within = 1000): boolean {
    if (now - this.rest < within) return false
    if (now - this.first <= within) {
      this.first = -Infinity
      this.rest = now
      return true
    }
    this.first = now
    return false
  }
}
