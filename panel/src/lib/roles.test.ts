import { describe, expect, it } from 'vitest'
import { hasPhone, landing, pagesOf } from './roles'

describe('roles', () => {
  it.each([
    [['agent'], 'work', ['work', 'calls', 'tickets', 'callbacks', 'people'], true],
    [['lead'], 'wall', ['work', 'wall', 'calls', 'tickets', 'callbacks', 'people'], true],
    [['agent', 'lead'], 'wall', ['work', 'wall', 'calls', 'tickets', 'callbacks', 'people'], true],
    [['dispatcher'], 'calls', ['calls', 'tickets'], false],
    [[], 'calls', ['calls', 'tickets'], false],
  ])('%j begins at %s', (roles, first, pages, phone) => {
    expect([landing(roles), pagesOf(roles), hasPhone(roles)]).toEqual([first, pages, phone])
  })
})
