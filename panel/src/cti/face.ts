// What the softphone bar shows: the agent's world, the line and the audio made into one face. Pure; words are keys of i18n.
import type { Link } from './client'
import type { Card } from './frames'
import { citizens, current, offered, party, type World } from './model'
import type { Sound } from './quality'

export type FaceName =
  | 'connecting'
  | 'offline'
  | 'ready'
  | 'not_ready'
  | 'offered_auto'
  | 'offered_ring'
  | 'on_call'
  | 'muted'
  | 'held'
  | 'consult'
  | 'conference'
  | 'listening'
  | 'crisis'
  | 'wrap_up'
  | 'not_responding'
  | 'line_lost'
  | 'audio_lost'
  | 'both_lost'
  | 'no_microphone'
  | 'taken_over'

export type Control =
  | 'answer'
  | 'reject'
  | 'mute'
  | 'unmute'
  | 'hold'
  | 'retrieve'
  | 'consult'
  | 'transfer'
  | 'conference'
  | 'record_pause'
  | 'record_resume'
  | 'keypad'
  | 'assist'
  | 'assist_cancel'
  | 'crisis'
  | 'hangup'
  | 'back_to_citizen'
  | 'complete_transfer'
  | 'to_conference'
  | 'invite'
  | 'leave'
  | 'police'
  | 'relay'
  | 'ready'
  | 'not_ready'
  | 'break'
  | 'break_withdraw'
  | 'dial'
  | 'extend'
  | 'finish'
  | 'recover'
  | 'login'
  | 'desk_phone'
  | 'how'
  | 'recheck'
  | 'retry'
  | 'take_over'
  | 'to_recorder'

/** A text: its key below `phone`, with the values in it. `dur` values are milliseconds, written by the clock. */
export interface Words {
  key: string
  values?: Record<string, string | number>
  /** Drawn to catch the eye. */
  strong?: boolean
}

export interface Face {
  name: FaceName
  tone: 'ok' | 'grey' | 'acc' | 'live' | 'hold' | 'wrap' | 'bad' | 'recon'
  icon: string
  title: Words[]
  line: Words[]
  /** The large clock: since when. */
  since: string | null
  /** Seconds left of an offer, and of how many: the ring. */
  ring: { left: number; of: number } | null
  /** Left of wrap-up, 0 to 1. */
  meter: number | null
  card: Card | null
  parties: string[] | null
  controls: Control[]
}

export interface Ears {
  /** `off` when a desk phone rings instead. */
  path: 'off' | 'starting' | 'up' | 'lost'
  pathSince: number
  microphone: 'unknown' | 'live' | 'muted' | 'ended' | 'denied'
  muted: boolean
  sound: Sound | null
}

export interface Sight {
  world: World
  link: Link
  ears: Ears
  /** The server's clock, ms. */
  now: number
  /** The queues' names in the reader's language. */
  queue: (code: string) => string
  clock: (ms: number) => string
  /** A desk phone of the agent is known. */
  phone: string | null
  /** His last call went away with the server; its ticket is not finished. */
  cut: boolean
}

const CALM = 1500

export function face(sight: Sight): Face {
  const { world, link, ears, now } = sight
  const card = citizens(world)
  const live = (name: FaceName, more: Partial<Face>): Face => ({
    name,
    tone: 'live',
    icon: 'wave',
    title: [],
    line: [],
    since: card?.answered_at ?? null,
    ring: null,
    meter: null,
    card,
    parties: null,
    controls: [],
    ...more,
  })
  const plain = (name: FaceName, more: Partial<Face>): Face =>
    live(name, { since: null, card: null, ...more })
  const onCall = current(world) !== null
  // Another page has the sound: what becomes of this one's line says nothing about it.
  if (world.takenOver) {
    const values = { at: /T(\d\d:\d\d)/.exec(world.takenOver)?.[1] ?? '' }
    const open = link.is === 'open'
    return plain('taken_over', {
      tone: 'grey',
      icon: 'users',
      title: [words('taken_over')],
      line: [words('taken_over_line', values), ...(open ? [] : [words('connecting')])],
      controls: open ? ['take_over'] : [],
    })
  }

  if (link.is !== 'open') {
    const away = link.is === 'stopped' ? 0 : now - link.since
    if (!world.whole || (away < CALM && !onCall)) {
      const retry: Control[] = link.is === 'down' && link.tries > 2 ? ['retry'] : []
      return plain('connecting', {
        tone: 'grey',
        icon: 'swap',
        title: [words('connecting')],
        line: [words('connecting_line')],
        controls: retry,
      })
    }
    const seconds = Math.round(away / 1000)
    // No path of this page is no sound, unless a desk phone has it.
    const phone = (world.device ?? 'browser') !== 'browser'
    if (onCall && (ears.path === 'up' || (ears.path === 'off' && phone)))
      return live('line_lost', {
        tone: 'recon',
        icon: 'swap',
        title: [words('line_lost')],
        line: [words('line_lost_line', { n: seconds })],
      })
    return plain('both_lost', {
      tone: 'bad',
      icon: 'alert',
      title: [words('both_lost', { t: sight.clock(away) })],
      line: [words(onCall ? 'both_lost_call' : 'both_lost_line')],
      controls: ['retry'],
    })
  }
  if (!world.whole)
    return plain('connecting', {
      tone: 'grey',
      icon: 'swap',
      title: [words('connecting')],
      line: [words('connecting_line')],
    })
  if (world.me.state === 'offline')
    return plain('offline', {
      tone: 'grey',
      icon: 'head',
      title: [words('offline')],
      line: [words('offline_line')],
      controls: sight.phone ? ['desk_phone', 'login'] : ['login'],
    })

  const deaf = ears.microphone === 'denied' || ears.microphone === 'ended'
  if (deaf && !onCall && ears.path !== 'off')
    return plain('no_microphone', {
      tone: 'bad',
      icon: 'micoff',
      title: [words('no_microphone')],
      line: [words(ears.microphone === 'ended' ? 'no_microphone_ended' : 'no_microphone_line')],
      controls: sight.phone ? ['how', 'desk_phone', 'recheck'] : ['how', 'recheck'],
    })

  const offer = offered(world)
  if (offer && world.offer) {
    const queue = offer.queue ? sight.queue(offer.queue) : ''
    const title = [words(offer.queue ? 'offered' : 'offered_direct', { queue })]
    if (world.offer.auto_answer_at)
      return live('offered_auto', {
        tone: 'acc',
        icon: 'bell',
        title,
        line: [words('offered_auto')],
        card: offer,
        since: null,
      })
    const left = Math.max(0, Math.ceil((Date.parse(world.offer.answer_by) - now) / 1000))
    return live('offered_ring', {
      tone: 'acc',
      icon: 'bell',
      title,
      line: [words('offered_ring', { n: 8 })],
      ring: { left, of: 8 },
      card: offer,
      since: null,
      controls: ['answer'],
    })
  }
  if (card) return onACall(sight, card, live, deaf)
  return waiting(sight, plain)
}

function onACall(
  sight: Sight,
  card: Card,
  live: (n: FaceName, m: Partial<Face>) => Face,
  deaf: boolean,
): Face {
  const { world, ears, now } = sight
  const since = (at: string | undefined) => (at ? Math.max(0, now - Date.parse(at)) : 0)
  const t = (at: string | undefined) => sight.clock(since(at))
  if (ears.path === 'lost') {
    const n = Math.round((now - ears.pathSince) / 1000)
    return live('audio_lost', {
      tone: 'recon',
      icon: 'swap',
      title: [words('audio_lost', { n })],
      line: [words('audio_lost_line')],
    })
  }
  const asked = world.assist?.call === card.call ? world.assist : null
  const help: Control = asked ? 'assist_cancel' : 'assist'
  const mute: Control = ears.muted ? 'unmute' : 'mute'
  const record: Control = card.recording_paused ? 'record_resume' : 'record_pause'
  const lead = Object.entries(world.monitors[card.call] ?? {})
  const watched = lead.map(([, how]) =>
    words(/whisper/.test(how) ? 'whispered' : /barge/.test(how) ? 'barged' : 'listened'),
  )
  const helped = asked ? [words('assist_asked', { t: t(asked.since) })] : []

  // Whoever records a head's call hears it and types; his hands are elsewhere.
  if (card.session?.listens)
    return live('listening', {
      icon: 'head',
      title: [words('listening')],
      line: [words('listening_line'), ...helped],
      controls: [help],
    })
  if (card.session?.part === 'leader') {
    const held = card.state === 'held'
    const on = card.session.recorder ? 'to_recorder' : 'hangup'
    return live(held ? 'held' : 'on_call', {
      ...(held ? { tone: 'hold' as const, icon: 'pause' } : {}),
      title: [held ? words('held', { t: t(world.heldSince[card.call]) }) : words('on_call')],
      line: [
        words(card.session.recorder ? 'recorder_line' : 'recorder_missing', {
          who: card.session.recorder ?? '',
        }),
      ],
      controls: [held ? 'retrieve' : 'hold', on],
    })
  }
  if (world.crisis === card.call)
    return live('crisis', {
      icon: 'siren',
      title: lead.length ? [words('crisis'), words('crisis_joined', {}, true)] : [words('crisis')],
      line: [words('crisis_line'), words('crisis_unheard')],
      controls: [mute, 'conference', 'police', 'keypad', 'hangup'],
    })
  if (world.consult)
    return live('consult', {
      icon: 'talk',
      title: [words('consult', { who: world.consult.to, t: t(world.consult.since) })],
      line: [words('consult_line'), ...helped],
      controls: ['back_to_citizen', 'complete_transfer', 'to_conference', mute, help, 'crisis', 'hangup'],
    })
  if (card.state === 'held')
    return live('held', {
      tone: 'hold',
      icon: 'pause',
      title: [words('held', { t: t(world.heldSince[card.call]) })],
      line: [words('held_line'), ...helped],
      controls: ['retrieve', 'consult', 'transfer', 'conference', 'keypad', help, 'crisis', 'hangup'],
    })
  if (card.state === 'conference') {
    const others = party(card)
    return live('conference', {
      icon: 'conf',
      title: [words('conference', { n: others.length + 2 })],
      line: [words('conference_line', { who: others.join(' · ') }), ...watched, ...helped],
      parties: others,
      controls: [mute, 'invite', 'leave', record, help, 'crisis', 'hangup'],
    })
  }
  const after = world.wish ? [words(`after_${world.wish}`, {}, world.wish === 'not_ready')] : []
  const sound = deaf
    ? [words('no_microphone_call', {}, true)]
    : ears.sound
      ? [words(`sound_${ears.sound}`, {}, ears.sound === 'bad')]
      : []
  const paused = card.recording_paused
  const recording = paused ? [words('recording_marked')] : [words('recording')]
  const controls: Control[] = [
    mute,
    'hold',
    'consult',
    'transfer',
    'conference',
    record,
    'keypad',
    help,
    'crisis',
    'hangup',
  ]
  if (ears.muted)
    return live('muted', {
      icon: 'micoff',
      title: [words('on_call'), words('is_muted', {}, true)],
      line: [words('muted_line'), ...helped, ...watched],
      controls,
    })
  const outbound = card.direction === 'outbound' && !card.answered_at
  return live('on_call', {
    icon: paused ? 'rec' : 'wave',
    title: paused
      ? [words('recording_paused', { t: t(world.pausedSince[card.call]) }, true)]
      : [words(outbound ? 'dialling' : 'on_call')],
    line: [...(watched.length || helped.length ? [] : sound), ...watched, ...helped, ...recording, ...after],
    controls,
  })
}

function waiting(sight: Sight, plain: (n: FaceName, m: Partial<Face>) => Face): Face {
  const { world, now, ears } = sight
  const { me } = world
  const t = sight.clock(Math.max(0, now - Date.parse(me.since || new Date(now).toISOString())))
  switch (me.state) {
    case 'wrap_up': {
      const left = me.wrap_up_until ? Math.max(0, Date.parse(me.wrap_up_until) - now) : 0
      const words1 =
        left > 0 ? words('wrap_left', { n: Math.ceil(left / 1000) }) : words('wrap_over', {}, true)
      return plain('wrap_up', {
        tone: 'wrap',
        icon: 'ticket',
        title: [words('wrap_up')],
        line: [words1, words('wrap_rule'), words('wrap_extended', { n: world.extended })],
        meter: Math.min(1, left / Math.max(1, world.wrapMs)),
        controls: ['extend', 'finish'],
      })
    }
    case 'not_responding':
      return plain('not_responding', {
        tone: 'bad',
        icon: 'alert',
        title: [words('not_responding')],
        line: [words('not_responding_line')],
        controls: ['recover'],
      })
    case 'not_ready':
      if (sight.cut)
        return plain('not_ready', {
          tone: 'wrap',
          icon: 'ticket',
          title: [words('cut', {}, true)],
          line: [words('cut_line')],
          controls: ['finish'],
        })
      return plain('not_ready', {
        tone: 'grey',
        icon: 'clock',
        title: [words('not_ready', { reason: me.reason ?? '' })],
        line: [words('not_ready_line', { t })],
        controls: ['dial', 'ready'],
      })
    default: {
      const path: Words[] =
        ears.path === 'starting'
          ? [words('audio_starting')]
          : ears.path === 'lost'
            ? [words('audio_deaf', {}, true)]
            : []
      const asked = world.breakAsked
      if (asked)
        return plain('ready', {
          tone: 'ok',
          icon: 'clock',
          title: [words('break_asked')],
          line: [
            asked.ahead === null ? words('break_waits') : words('break_ahead', { n: asked.ahead }),
            ...path,
          ],
          controls: ['break_withdraw'],
        })
      return plain('ready', {
        tone: 'ok',
        icon: 'check',
        title: [words('ready')],
        line: [words('ready_line', { t }), ...path],
        controls: ['not_ready', 'break', 'dial'],
      })
    }
  }
}

function words(key: string, values?: Record<string, string | number>, strong = false): Words {
  return { key, ...(values ? { values } : {}), ...(strong ? { strong } : {}) }
}
