// What is heard and shown of an offer: a beep in the ear before automatic answering, a ring on the chosen device otherwise, a
// notification and the title while the page is hidden. No name and no number leave the page.

let context: AudioContext | null = null
let ringing: { stop: () => void } | null = null
let titled: { text: string; timer: ReturnType<typeof setInterval> } | null = null
let notice: Notification | null = null

/** Called from a click: browsers are silent before one. */
export function unlockSound() {
  context ??= new AudioContext()
  void context.resume()
}

function tone(at: AudioContext, frequency: number, from: number, length: number, loud: number) {
  const source = at.createOscillator()
  const gain = at.createGain()
  source.frequency.value = frequency
  gain.gain.setValueAtTime(0, from)
  gain.gain.linearRampToValueAtTime(loud, from + 0.02)
  gain.gain.setValueAtTime(loud, from + length - 0.03)
  gain.gain.linearRampToValueAtTime(0, from + length)
  source.connect(gain).connect(at.destination)
  source.start(from)
  source.stop(from + length)
}

/** One beep: a call is about to be connected. */
export function beep() {
  unlockSound()
  if (context) tone(context, 880, context.currentTime, 0.3, 0.2)
}

/** Two tones, 0.4 s on and 2 s off, rising for four seconds. */
export function startRing(urgent: boolean) {
  stopRing()
  unlockSound()
  const at = context
  if (!at) return
  const sink = localStorage.getItem('audio.ring')
  if (sink && 'setSinkId' in at)
    void (at as AudioContext & { setSinkId: (id: string) => Promise<void> }).setSinkId(sink).catch(() => {})
  const begun = at.currentTime
  const once = () => {
    const loud = Math.min(1, 0.3 + (0.7 * (at.currentTime - begun)) / 4) * 0.3
    tone(at, urgent ? 1040 : 784, at.currentTime, 0.2, loud)
    tone(at, urgent ? 1320 : 988, at.currentTime + 0.2, 0.2, loud)
  }
  once()
  const timer = setInterval(once, urgent ? 1200 : 2400)
  ringing = { stop: () => clearInterval(timer) }
}

export function stopRing() {
  ringing?.stop()
  ringing = null
}

/** The hidden page calls: its title alternates, and where allowed a notification stays until the offer is over. */
export function callOut(call: string, title: string, mark: string) {
  quiet()
  if (document.visibilityState === 'visible') return
  const text = document.title
  let on = false
  titled = { text, timer: setInterval(() => (document.title = (on = !on) ? mark + text : text), 1000) }
  if ('Notification' in window && Notification.permission === 'granted') {
    notice = new Notification(title, { tag: call, requireInteraction: true })
    notice.onclick = () => window.focus()
  }
}

export function quiet() {
  if (titled) {
    clearInterval(titled.timer)
    document.title = titled.text
    titled = null
  }
  notice?.close()
  notice = null
}
