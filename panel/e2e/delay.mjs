// An agent whose browser notes when chirps pass: those that its loudspeaker is given, and those that leave its microphone.
//
// node e2e/delay.mjs ADDRESS MICROPHONE.WAV USER SECONDS; CHROMIUM names the browser. Prints `{"talking": true}` once the call is
// taken, and at the end what was seen, times in ms since 1970: `{"heard": […], "said": […], "own": […], …}`. `own` is the delay of the
// measure itself: a click that Web Audio sends by a MediaStream to itself.
import { chromium } from 'playwright-core'
import { FAKE_MICROPHONE, keepStreams } from './ears.mjs'
import { face, signIn } from './stage.mjs'

const [address, microphone, user, seconds] = process.argv.slice(2)
const say = (what) => console.log(JSON.stringify(what))

/**
 * Runs beside the page's own work: the first loud sample after a quiet quarter of a second, and when. What is heard is played
 * from the moment its block passes on; what is said was whole when its block came.
 */
const LISTENER = `
registerProcessor('chirps', class extends AudioWorkletProcessor {
  quiet = 0
  constructor({ processorOptions }) {
    super()
    this.said = processorOptions.said
  }
  process([input]) {
    const samples = input[0]
    if (!samples) return true
    const now = Date.now()
    for (let n = 0; n < samples.length; n++) {
      if (Math.abs(samples[n]) < 0.1) this.quiet++
      else {
        const after = this.said ? n - samples.length : n
        if (this.quiet > sampleRate / 4) this.port.postMessage(now + (after * 1000) / sampleRate)
        this.quiet = 0
      }
    }
    return true
  }
})`

/** In the page: notes chirps on both streams for so long. */
async function note([source, seconds]) {
  const context = new AudioContext({ latencyHint: 'interactive' })
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })))
  await context.resume()
  const ear = (stream, into, said = false) => {
    const node = new AudioWorkletNode(context, 'chirps', { processorOptions: { said } })
    node.port.onmessage = (e) => into.push(e.data)
    context.createMediaStreamSource(stream).connect(node)
    // Who is not connected is not asked for sound.
    node.connect(context.destination)
  }
  const received = async () =>
    [...(await window.connection.getStats()).values()].find((row) => row.type === 'inbound-rtp')
  const first = await received()
  const [heard, said, looped, sent] = [[], [], [], []]
  ear(window.remote, heard)
  ear(window.local, said, true)
  // Clicks of our own: what the way through a MediaStream and the listener costs.
  const loop = context.createMediaStreamDestination()
  ear(loop.stream, looped, true)
  const click = context.createBuffer(1, context.sampleRate / 50, context.sampleRate)
  click.getChannelData(0).fill(0.5)
  const begun = performance.now()
  for (let n = 1; performance.now() < begun + seconds * 1000; n++) {
    const player = context.createBufferSource()
    player.buffer = click
    player.connect(loop)
    const at = context.currentTime + 0.1
    player.start(at)
    // When the block of that time is made, as the page sees it.
    while (context.currentTime < at) await new Promise((done) => setTimeout(done, 1))
    sent.push(performance.timeOrigin + performance.now() - (context.currentTime - at) * 1000)
    await new Promise((done) => setTimeout(done, 700))
  }
  const [before, after] = [first, await received()]
  const grown = (what) => after[what] - before[what]
  // Before the call there was nothing to hear: only what came since counts.
  const buffer = {
    mean_ms: (1000 * grown('jitterBufferDelay')) / grown('jitterBufferEmittedCount'),
    target_ms: (1000 * grown('jitterBufferTargetDelay')) / grown('jitterBufferEmittedCount'),
    concealed: grown('concealedSamples') / grown('totalSamplesReceived'),
    lost: grown('packetsLost'),
  }
  const own = sent.map((at) => Math.min(...looped.map((seen) => seen - at).filter((ms) => ms > -20)))
  const latency = { base: context.baseLatency, output: context.outputLatency }
  return { heard, said, own: own.filter((ms) => ms < 400), buffer, latency }
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: FAKE_MICROPHONE(microphone),
})
try {
  // The page's policy lets no script in; the listener is one.
  const context = await browser.newContext({ locale: 'zh-CN', permissions: ['microphone'], bypassCSP: true })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  await page.addInitScript(keepStreams)
  await signIn(page, address, user, process.env.PROCESSED ? '#/work' : '?audio=raw#/work')
  await face(page, 'offline')
  await page.keyboard.press('Alt+s')
  await face(page, 'not_ready', 'ready')
  await page.waitForTimeout(500)
  if ((await page.locator('header.phone').getAttribute('data-face')) !== 'ready')
    await page.keyboard.press('Alt+s')
  await face(page, 'ready')
  say({ ready: true })
  await face(page, 'offered_ring')
  await page.keyboard.press('Alt+a')
  await face(page, 'on_call')
  // The buffers of a call that has just begun are not those of a call.
  await page.waitForTimeout(5000)
  say({ talking: true })
  say(await page.evaluate(note, [LISTENER, Number(seconds)]))
} finally {
  await browser.close()
}
