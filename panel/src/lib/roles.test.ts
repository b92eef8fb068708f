import { describe, expect, it } from 'vitest'
import { hasPhone, landing, pagesOf } from './roles'

const LEAD = [
  'work',
  'wall',
  'dispatch',
  'calls',
  'tickets',
  'rates',
  'kb',
  'callbacks',
  'paper',
  'people',
  'roster',
  'admin',
]

describe('roles', () => {
  it.each([
    [['agent'], 'work', ['work', 'calls', 'tickets', 'kb', 'callbacks', 'paper', 'people', 'roster'], true],
    [['lead'], 'wall', LEAD, true],
    [['agent', 'lead'], 'wall', LEAD, true],
    [
      ['office'],
      'office',
      ['dispatch', 'visits', 'office', 'calls', 'tickets', 'rates', 'kb', 'callbacks', 'roster', 'admin'],
      false,
    ],
    [['kb'], 'kb', ['calls', 'tickets', 'kb'], false],
    [['admin'], 'admin', ['calls', 'tickets', 'admin'], false],
    [['dispatcher'], 'dispatch', ['dispatch', 'calls', 'tickets', 'rates', 'kb'], false],
    [['unit'], 'unit', ['unit', 'tickets', 'rates', 'kb'], false],
    [['unit_head'], 'unit', ['unit', 'tickets', 'rates', 'kb'], false],
    [['visitor'], 'visits', ['visits', 'calls', 'tickets', 'rates', 'kb', 'callbacks', 'roster'], false],
    [['leader'], 'calls', ['calls', 'tickets', 'rates'], false],
    [[], 'calls', ['calls', 'tickets'], false],
  ])('%j begins at %s', (roles, first, pages, phone) => {
    expect([landing(roles), pagesOf(roles), hasPhone(roles)]).toEqual([first, pages, phone])
  })
})
