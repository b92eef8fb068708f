// The agent's phone as all pages see it: the websocket, the world it tells of, the audio, and what a button does.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import { onSignedOut, skew } from '../api/http'
import { AgentAudio, workerBeat, type AudioState } from '../cti/audio'
import { back, cutFor, stood, type Stood } from '../cti/back'
import { CtiClient, Refused, type Link } from '../cti/client'
import { face as faceOf, type Control } from '../cti/face'
import type { Answer, Card, Command, Commands, EventFrame, Target } from '../cti/frames'
import { Twice } from '../cti/keys'
import { citizens, current, nowhere, offered, reduce, type Happened, type World } from '../cti/model'
import { beep, callOut, quiet, startRing, stopRing } from '../cti/ring'
import { i18n, word } from '../i18n'
import { clock } from '../lib/format'
import { now } from '../lib/now'
import { GAS, outdoors } from '../lib/special'
import { policeNumber, targets } from '../lib/targets'

/** A small window over the page: whom to call, which keys, why away. */
export type Sheet =
  | 'consult'
  | 'transfer'
  | 'conference'
  | 'relay'
  | 'dial'
  | 'keypad'
  | 'break'
  | 'not_ready'
  | 'how'
  | 'keys'
  | 'audio'
  | 'reject'

/** After a restart so often, so far apart. */
const LOGINS = 100
const LOGIN_PAUSE_MS = 500
/** How old what is kept of how one stands may be: storage is slow, and a hall tells ten things a second. */
const KEEP_MS = 3_000
/** Queues the server lets one page watch. */
const WATCHED = 64

export const useCti = defineStore('cti', () => {
  const world = shallowRef<World>(nowhere)
  const link = shallowRef<Link>({ is: 'stopped' })
  const audio = shallowRef<AudioState>({
    path: 'off',
    since: 0,
    microphone: 'unknown',
    muted: false,
    sound: null,
    silent: false,
    input: '',
  })
  const heardAt = ref(0)
  const sheet = ref<Sheet | null>(null)
  const trouble = ref<{ text: string; n: number } | null>(null)
  /** Said once to a screen reader. */
  const said = ref('')
  const busy = ref(new Set<string>())
  /** The call that went away with the server: its ticket is to be finished before the next one. */
  const cut = shallowRef<Card | null>(null)
  let watching = false
  /** Logging in again after a restart; the number of the last such. */
  let returning = false
  let returns = 0
  /** Saves the ticket on the desk before wrap-up ends; false: it is not whole yet. */
  let saveFirst: (() => Promise<boolean>) | null = null
  const hang = new Twice()

  const client = new CtiClient({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/cti/v1`,
    frame: (frame) => heard(frame),
    link: (is) => (link.value = is),
    signedOut: () => onSignedOut.call(),
    watch: () => watching,
  })
  const path = new AgentAudio({
    send: (cmd, fields, volatile) => client.send(cmd, fields, volatile),
    changed: (state) => (audio.value = state),
    beat: workerBeat,
  })

  function happen(what: Happened) {
    world.value = reduce(world.value, what)
  }

  function heard(frame: EventFrame) {
    heardAt.value = Date.now()
    // Count-downs of eight seconds want the server's clock better than a header tells it.
    const ahead = Date.parse(frame.at) - Date.now()
    if (frame.event === 'hello' && Math.abs(ahead) > 200) skew.value = ahead
    happen(frame)
    if (frame.event === 'snapshot') {
      backToWork()
      watchFloor()
    } else remember()
    if (frame.event === 'media.answer') void path.heard({ event: frame.event, data: frame.data })
    else if (frame.event === 'media.candidate') void path.heard({ event: frame.event, data: frame.data })
    else if (frame.event === 'media.quality') void path.heard({ event: frame.event, data: frame.data })
    settle()
  }

  /** How this tab stood a moment ago; kept over a reload. Written when it changes, and now and then while it does not. */
  let kept = ''
  let keptAt = 0
  function remember() {
    const { me, whole, takenOver } = world.value
    if (!whole || takenOver || returning) return
    const now = Date.now()
    const how = me.state === 'offline' ? 'offline' : JSON.stringify(stood(world.value, cut.value, 0))
    if (how === kept && now - keptAt < KEEP_MS) return
    kept = how
    keptAt = now
    if (me.state === 'offline') sessionStorage.removeItem('at-work')
    else sessionStorage.setItem('at-work', JSON.stringify(stood(world.value, cut.value, now)))
  }

  function forget() {
    kept = ''
    sessionStorage.removeItem('at-work')
  }

  function cutOff(card: Card | null) {
    cut.value = card
    if (card) sessionStorage.setItem('cut', JSON.stringify({ agent: world.value.hello?.agent, card }))
    else sessionStorage.removeItem('cut')
  }

  /**
   * A server that has just started knows nobody: who was at work here a moment ago is so again, without a hand moved. Whose call
   * went away with it has a ticket to finish first.
   */
  function backToWork() {
    const { me, takenOver, hello } = world.value
    const kept = sessionStorage.getItem('at-work')
    cut.value = cutFor(sessionStorage.getItem('cut'), hello?.agent)
    if (!kept || takenOver || me.state !== 'offline') return remember()
    // The next one at this tab was not at work.
    const was = back(kept, hello?.agent, Date.now())
    if (!was) return forget()
    cutOff(was.cut)
    void comeBack(was, ++returns)
  }

  /** A server may be there before it knows who works here: it is asked for a while. */
  async function comeBack(was: Stood, n: number) {
    returning = true
    for (let tries = 1; n === returns; tries++) {
      const refused = await client.send('agent.login', { device: was.device ?? 'browser' }).then(
        () => null,
        (e: unknown) => e,
      )
      if (n !== returns) return
      const again =
        refused && tries < LOGINS && link.value.is === 'open' && world.value.me.state === 'offline'
      if (!again) {
        returning = false
        // A line that broke again comes back with a snapshot, and that begins anew.
        if (refused && link.value.is === 'open') complain(i18n.global.t('phone.not_back'))
        else if (!refused && was.ready && !was.cut) void act('agent.ready', {})
        return
      }
      await new Promise((done) => setTimeout(done, LOGIN_PAUSE_MS))
    }
  }

  /** Colleagues and queues are told only to who asks for them; a page that merely watches gets what its acting one asked for. */
  function watchFloor() {
    const { hello, queues, takenOver } = world.value
    if (!hello?.acting || takenOver) return
    const names = Object.keys(queues).slice(0, WATCHED)
    if (names.length) void client.send('queue.watch', { queues: names }).catch(() => {})
  }

  /** As it stands in the tab's storage; unknown until the first time. */
  let warm: boolean | null = null
  /** The audio follows: it is there while this page acts for an agent who is logged in with the browser. */
  function settle() {
    const { hello, takenOver, me, device, whole } = world.value
    watching = takenOver !== null
    if (!whole) return
    const ours = hello && !takenOver && me.state !== 'offline' && (device ?? 'browser') === 'browser'
    if (warm !== Boolean(ours)) {
      warm = Boolean(ours)
      if (warm) sessionStorage.setItem('ears', 'browser')
      else sessionStorage.removeItem('ears')
    }
    if (ours) void path.start(hello.session)
    else path.stop()
  }

  function start() {
    client.start()
    if (sessionStorage.getItem('ears')) path.warm()
  }
  function stop() {
    path.stop()
    client.stop()
    stopRing()
    quiet()
    world.value = nowhere
    sheet.value = null
    returns++
    returning = false
    cutOff(null)
    // The next one to sign in here is somebody else.
    forget()
  }

  /** Sends a command; what was refused is said in words. */
  async function act<C extends Command>(
    cmd: C,
    fields: Commands[C],
    about: { to?: string } = {},
  ): Promise<Answer | null> {
    busy.value = new Set(busy.value).add(cmd)
    try {
      const answer = await client.send(cmd, fields)
      const call = (fields as { call?: string }).call
      happen({
        done: cmd,
        at: new Date(Date.now() + skew.value).toISOString(),
        call,
        made: answer.call,
        to: about.to,
      })
      return answer
    } catch (e) {
      if (!(e instanceof Refused)) throw e
      if (e.code !== 'stopped')
        complain(
          i18n.global.te(`refused.${e.code}`) ? i18n.global.t(`refused.${e.code}`) : e.message || e.code,
        )
      return null
    } finally {
      const left = new Set(busy.value)
      left.delete(cmd)
      busy.value = left
    }
  }

  let gone: ReturnType<typeof setTimeout> | undefined
  function complain(text: string) {
    trouble.value = { text, n: (trouble.value?.n ?? 0) + 1 }
    clearTimeout(gone)
    gone = setTimeout(() => (trouble.value = null), 6000)
  }

  const card = computed(() => citizens(world.value))
  const speaking = computed(() => current(world.value))
  const incoming = computed(() => offered(world.value))
  const phone = computed(() =>
    world.value.device && world.value.device !== 'browser' ? world.value.device : null,
  )
  const face = computed(() =>
    faceOf({
      world: world.value,
      link: link.value,
      ears: {
        path: audio.value.path,
        pathSince: audio.value.since + skew.value,
        microphone: audio.value.microphone,
        muted: audio.value.muted,
        sound: audio.value.sound,
      },
      now: now.value,
      queue: (code) => word('queues', code),
      clock,
      phone: phone.value ?? localStorage.getItem('desk-phone'),
      cut: cut.value !== null,
    }),
  )

  /** What a button or its key does. `byKey`: hanging up asks for it twice. */
  async function press(control: Control, byKey = false): Promise<unknown> {
    const call = card.value?.call
    const at = call ? { call } : {}
    switch (control) {
      case 'answer':
        return act('call.answer', incoming.value ? { call: incoming.value.call } : {})
      case 'mute':
      case 'unmute':
        return path.mute(control === 'mute')
      case 'hold':
        return act('call.hold', at)
      case 'retrieve':
      case 'back_to_citizen':
        return act('call.retrieve', at)
      case 'consult':
      case 'transfer':
      case 'conference':
      case 'relay':
      case 'dial':
      case 'keypad':
      case 'break':
      case 'how':
      case 'reject':
        return (sheet.value = control)
      case 'not_ready':
        return act('agent.not_ready', { reason: 'busy' })
      case 'invite':
        return (sheet.value = 'conference')
      case 'complete_transfer':
        return act('call.transfer', at)
      case 'to_conference':
        return act('call.conference', at)
      case 'to_recorder': {
        const agent = card.value?.session?.recorder
        return agent ? act('call.transfer', { ...at, to: { agent } }, { to: agent }) : null
      }
      case 'leave':
        return act('call.complete', at)
      case 'police':
        return act('call.conference', { ...at, to: { number: policeNumber(targets.value) } }, { to: '110' })
      case 'record_pause':
        return act('recording.pause', at)
      case 'record_resume':
        return act('recording.resume', at)
      case 'assist':
        return act('assist.request', at)
      case 'assist_cancel':
        return act('assist.cancel', {})
      case 'crisis':
        return act('crisis.raise', at)
      case 'hangup': {
        if (byKey && !hang.press(Date.now())) return (said.value = i18n.global.t('phone.again_to_hang_up'))
        const up = speaking.value ?? card.value
        return act('call.hangup', up ? { call: up.call } : {})
      }
      case 'ready':
      case 'recover':
        return act('agent.ready', {})
      case 'break_withdraw':
        return act('agent.break_withdraw', {})
      case 'extend':
        return act('wrapup.extend', {})
      case 'finish':
        if (saveFirst && !(await saveFirst())) return null
        if (!cut.value || world.value.me.state === 'wrap_up') return act('wrapup.finish', {})
        cutOff(null)
        return act('agent.ready', {})
      case 'login':
        return act('agent.login', { device: 'browser' })
      case 'desk_phone': {
        const device = phone.value ?? localStorage.getItem('desk-phone')
        return device ? act('agent.login', { device }) : null
      }
      case 'recheck':
        return path.recheck()
      case 'retry':
        return client.retry()
      case 'take_over':
        return act('agent.login', { device: world.value.device ?? 'browser', take_over: true })
    }
  }

  /** Where a sheet leads. */
  async function call(kind: 'consult' | 'transfer' | 'conference', to: Target) {
    // However its number came here: nobody is kept indoors on the line with gas in the air.
    const gas = targets.value?.services.find((s) => s.key === GAS)?.number
    if ('number' in to && to.number === gas && card.value && !outdoors.value.has(card.value.call)) {
      complain(i18n.global.t('refused.not_outside'))
      return null
    }
    const at = card.value ? { call: card.value.call } : {}
    const name = 'agent' in to ? to.agent : 'queue' in to ? word('queues', to.queue) : to.number
    return act(`call.${kind}`, { ...at, to }, { to: name })
  }

  // An offer is heard within the page and told once.
  watch(incoming, (card, before) => {
    if (card?.call === before?.call) return
    stopRing()
    quiet()
    if (!card) return
    // Nothing stands between the agent and the answer.
    sheet.value = null
    const t = i18n.global.t
    const queue = word('queues', card.queue)
    if (world.value.offer?.auto_answer_at) beep()
    else startRing(card.urgent)
    callOut(card.call, t('phone.offered', { queue }), t('phone.title_mark'))
    said.value = t('phone.said_offer', { queue })
  })
  watch(
    () => audio.value.muted && speaking.value === null,
    (left) => left && path.mute(false),
  )

  /** The form on the desk stands in the way of finishing until this is taken back. */
  function beforeFinish(save: () => Promise<boolean>): () => void {
    saveFirst = save
    return () => {
      if (saveFirst === save) saveFirst = null
    }
  }

  const retry = () => client.retry()
  const dismiss = (n: number) => happen({ dismiss: n })

  return {
    world,
    link,
    audio,
    heardAt,
    sheet,
    trouble,
    said,
    busy,
    card,
    speaking,
    incoming,
    cut,
    face,
    path,
    start,
    stop,
    act,
    press,
    beforeFinish,
    call,
    retry,
    dismiss,
  }
})
