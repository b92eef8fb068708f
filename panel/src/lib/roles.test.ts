import { describe, expect, it } from 'vitest'
import { hasPhone, landing, pagesOf } from './roles'

describe('roles', () => {
  it.each([
    [['agent'], 'work', ['work', 'calls', 'tickets', 'callbacks', 'people', 'roster'], true],
    [['lead'], 'wall', ['work', 'wall', 'calls', 'tickets', 'callbacks', 'people', 'roster', 'admin'], true],
    [
      ['agent', 'lead'],
      'wall',
      ['work', 'wall', 'calls', 'tickets', 'callbacks', 'people', 'roster', 'admin'],
      true,
    ],
    [['office'], 'calls', ['calls', 'tickets', 'callbacks', 'roster', 'admin'], false],
    [['admin'], 'admin', ['calls', 'tickets', 'admin'], false],
    [['dispatcher'], 'calls', ['calls', 'tickets'], false],
    [[], 'calls', ['calls', 'tickets'], false],
  ])('%j begins at %s', (roles, first, pages, phone) => {
    expect([landing(roles), pagesOf(roles), hasPhone(roles)]).toEqual([first, pages, phone])
  })
})
