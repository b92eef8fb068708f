// Who is late and by how much: the list that the heads read at eight. Pure.
import type { Ticket } from '../api/types'

export interface LateUnit {
  /** Empty: the hotline itself has it. */
  unit: string
  tickets: Ticket[]
  /** Of its worst, milliseconds. */
  worst: number
}

/** By unit, the one with the most first; within it the worst first. A ticket without a unit is the hotline's own. */
export function lateByUnit(tickets: readonly Ticket[], now: number): LateUnit[] {
  const over = (of: Ticket) => now - Date.parse(of.next_due_at ?? of.due_at ?? '')
  const units = new Map<string, Ticket[]>()
  for (const of of tickets) {
    if (!(over(of) > 0)) continue
    // Whoever must act now answers for it: before the dispatch and after the reply that is the hotline.
    const unit = of.owner ? (of.owner.unit ?? '') : (of.lead ?? '')
    units.set(unit, [...(units.get(unit) ?? []), of])
  }
  return [...units]
    .map(([unit, list]) => {
      const tickets = list.sort((a, b) => over(b) - over(a))
      return { unit, tickets, worst: tickets[0] ? over(tickets[0]) : 0 }
    })
    .sort((a, b) => b.tickets.length - a.tickets.length || b.worst - a.worst)
}
