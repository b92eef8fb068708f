import { describe, expect, it } from 'vitest'
import { dutyLines, isEmergency, policeNumber, serviceLines, spoken, type TransferTargets } from './targets'

const service = (key: string, number: string, emergency = false) => ({
  key,
  name_zh: `甲${key}`,
  name_en: `A ${key}`,
  number,
  emergency,
  dialable: true,
})
const TARGETS: TransferTargets = {
  at: '2026-11-23T10:00:00+08:00',
  day: 'workday',
  services: [service('110', '12000000110', true), service('gas', '12000096777')],
  duty: [
    { unit: 'zls', numbers: [] },
    {
      unit: 'rl',
      numbers: [
        { label: '客服调度', number: '12000071001', rank: 1, dialable: true },
        { label: '值班负责人', number: '12000071009', rank: 2, dialable: false },
      ],
    },
  ],
}

describe('transfer targets', () => {
  it('gives each service its digit and its name in the language of the page', () => {
    const lines = serviceLines(TARGETS, false)
    expect(lines.map((l) => [l.digit, l.name, l.emergency])).toEqual([
      ['1', '甲110', true],
      ['2', '甲gas', false],
    ])
    expect(serviceLines(TARGETS, true)[1]?.name).toBe('A gas')
    const many = { ...TARGETS, services: Array.from({ length: 11 }, (_, n) => service(`s${n}`, '1')) }
    expect(serviceLines(many, true).map((l) => l.digit)).toEqual([...'123456789', null, null])
    expect(serviceLines(null, true)).toEqual([])
  })
  it('puts units with somebody there first, with their backups, and finds them by any of their names', () => {
    const all = dutyLines(TARGETS, '')
    expect(all.map((l) => [l.id, l.number, l.backups.map((b) => b.number)])).toEqual([
      ['rl', '12000071001', ['12000071009']],
      ['zls', '', []],
    ])
    expect(dutyLines(TARGETS, '客服').map((l) => l.id)).toEqual(['rl'])
    expect(dutyLines(TARGETS, 'ZLS').map((l) => l.id)).toEqual(['zls'])
    expect(dutyLines(TARGETS, 'nobody')).toEqual([])
  })
  it('never sends a citizen blindly to a listed number or an emergency code', () => {
    expect(spoken('transfer', '12000096777', true)).toBe('consult')
    expect(spoken('transfer', '110', false)).toBe('consult')
    expect(spoken('transfer', '1100', false)).toBe('transfer')
    expect(spoken('conference', '110', true)).toBe('conference')
    expect([isEmergency('110'), isEmergency('1100'), isEmergency('0110')]).toEqual([true, false, false])
  })
  it('dials what the table says for the police, and the code itself without a table', () => {
    expect([policeNumber(TARGETS), policeNumber(null)]).toEqual(['12000000110', '110'])
  })
})
