import { describe, expect, it } from 'vitest'
import { hasPhone, landing, pagesOf } from './roles'

describe('roles', () => {
  it.each([
    [['agent'], 'work', ['work', 'calls', 'tickets', 'kb', 'callbacks', 'people', 'roster'], true],
    [
      ['lead'],
      'wall',
      ['work', 'wall', 'calls', 'tickets', 'kb', 'callbacks', 'people', 'roster', 'admin'],
      true,
    ],
    [
      ['agent', 'lead'],
      'wall',
      ['work', 'wall', 'calls', 'tickets', 'kb', 'callbacks', 'people', 'roster', 'admin'],
      true,
    ],
    [['office'], 'calls', ['calls', 'tickets', 'kb', 'callbacks', 'roster'], false],
    [['kb'], 'kb', ['calls', 'tickets', 'kb'], false],
    [['admin'], 'admin', ['calls', 'tickets', 'admin'], false],
    [['dispatcher'], 'calls', ['calls', 'tickets', 'kb'], false],
    [[], 'calls', ['calls', 'tickets'], false],
  ])('%j begins at %s', (roles, first, pages, phone) => {
    expect([landing(roles), pagesOf(roles), hasPhone(roles)]).toEqual([first, pages, phone])
  })
})
