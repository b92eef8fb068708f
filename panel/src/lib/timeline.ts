// From a call's events to what is drawn: the rows of the timeline and the way through the flow.
import type { CallEvent } from '../api/types'

export type Tone = 'plain' | 'call' | 'good' | 'bad' | 'small'

/** One row: which icon, how loud, and the values its sentence has places for. */
export interface Row {
  at: string
  kind: string
  icon: string
  tone: Tone
  /** Short facts behind the title, in reading order. */
  facts: string[]
}

const LOOKS: Record<string, [icon: string, tone: Tone]> = {
  call_arrived: ['phone', 'call'],
  call_answered: ['check', 'good'],
  call_confirmed: ['check', 'small'],
  media_changed: ['wave', 'small'],
  dialog: ['link', 'small'],
  step: ['right', 'small'],
  entered: ['right', 'plain'],
  left: ['right', 'small'],
  prompt: ['talk', 'plain'],
  digit: ['pad', 'plain'],
  queue_entered: ['users', 'call'],
  queue_left: ['users', 'plain'],
  queue_raised: ['users', 'plain'],
  number_drawn: ['ticket', 'good'],
  message_stored: ['chat', 'good'],
  callback_requested: ['back', 'good'],
  callback_tried: ['phone', 'call'],
  callback_try_ended: ['back', 'plain'],
  callback_moved: ['back', 'small'],
  callback_over: ['back', 'good'],
  recording_started: ['rec', 'plain'],
  recording_ended: ['rec', 'small'],
  value_set: ['star', 'small'],
  dial_started: ['xfer', 'call'],
  dial_ended: ['xfer', 'plain'],
  call_ended: ['hang', 'bad'],
  media_report: ['chart', 'small'],
  ticket_created: ['ticket', 'good'],
  created: ['ticket', 'plain'],
  numbered: ['ticket', 'good'],
  accepted: ['check', 'good'],
  missed: ['hang', 'plain'],
  state: ['right', 'plain'],
}

/** Figures that say something when they are nought; of all others nought is what one expects. */
const NOUGHT = new Set(['ahead', 'priority', 'digit', 'value'])

/** Which fields come first, in the order they are spoken; the others follow as they came. */
const FIRST = [
  'reason',
  'caller',
  'called',
  'trunk',
  'redirected_from',
  'redirect_reason',
  'queue',
  'outcome',
  'from',
  'to',
]

/** Fields that say nothing to a reader, or that another part of the page shows. */
const SILENT = new Set([
  'call',
  'call_id',
  'id',
  'seq',
  'kind',
  'input',
  'world',
  'trail',
  'flow_hash',
  'recording',
  'we_refresh',
  'caller_source',
  'user_agent',
  'source',
  'flow',
  'flow_version',
  'port',
  'worker',
])

export function rows(events: CallEvent[]): Row[] {
  return events.flatMap((event) => {
    if (event.kind !== 'step') return [row(event.at, event.kind, event.data)]
    const trail = Array.isArray(event.data.trail) ? event.data.trail : []
    // A step is what came in, then the trail it left: one row each, so that the walk reads downwards.
    const first = inputRow(event)
    return [...(first ? [first] : []), ...trail.flatMap((mark) => trailRow(event.at, mark))]
  })
}

function row(at: string, kind: string, data: Record<string, unknown>): Row {
  const [icon, tone] = LOOKS[kind] ?? ['dash', 'small']
  const facts = Object.entries(data)
    .sort(([a], [b]) => rank(a) - rank(b))
    .filter(
      ([key, value]) =>
        !SILENT.has(key) &&
        value !== null &&
        value !== '' &&
        typeof value !== 'object' &&
        (value !== 0 || NOUGHT.has(key)),
    )
    .map(([key, value]) => (typeof value === 'boolean' ? (value ? key : '') : `${label(key)}${value}`))
    .filter((text) => text !== '')
  return { at, kind, icon, tone: kind === 'call_ended' && data.fault === 'caller' ? 'plain' : tone, facts }
}

function rank(key: string): number {
  const at = FIRST.indexOf(key)
  return at < 0 ? FIRST.length : at
}

/** Names that stand on their own need no label. */
function label(key: string): string {
  return [
    'node',
    'prompt',
    'queue',
    'reason',
    'end_reason',
    'trunk',
    'caller',
    'outcome',
    'no',
    'digit',
    'value',
    'to',
  ].includes(key)
    ? ''
    : `${key} `
}

function inputRow(event: CallEvent): Row | null {
  const input = event.data.input
  if (input === 'digit') return row(event.at, 'digit', { digit: event.data.key })
  return input === 'timeout' ? row(event.at, 'timeout', {}) : null
}

function trailRow(at: string, mark: unknown): Row[] {
  const [name, value] = named(mark)
  if (name === 'entered' || name === 'prompt') return [row(at, name, { value })]
  return []
}

/** `{entered: "menu"}` → its name and its word. */
function named(mark: unknown): [string, unknown] {
  if (!mark || typeof mark !== 'object') return ['', '']
  const fields = mark as Record<string, unknown>
  const [first] = Object.entries(fields)
  return first ?? ['', '']
}

/** The nodes a call walked through, in order; a node that follows itself counts once. */
export function path(events: CallEvent[], given?: unknown): string[] {
  if (Array.isArray(given)) return given.map(String)
  if (typeof given === 'string' && given) return given.split(/\s*(?:→|>|,)\s*/)
  const nodes = rows(events)
    .filter((r) => r.kind === 'entered')
    .map((r) => r.facts[0] ?? '')
  return nodes.filter((node, n) => node && node !== nodes[n - 1])
}
