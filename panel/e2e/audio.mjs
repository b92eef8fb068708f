// An agent's audio in a real browser: connects, hears, is heard, is reloaded, loses its microphone.
//
// node e2e/audio.mjs ADDRESS MICROPHONE.WAV RELOADS; CHROMIUM names the browser. Prints what was measured as JSON.
import { chromium } from 'playwright-core'

const [address, microphone, reloads] = process.argv.slice(2)
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--autoplay-policy=no-user-gesture-required',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-audio-capture=${microphone}`,
  ],
})

// In the page: makes the connection and says after how many ms it was up and the first sound was heard.
async function connect() {
  const begin = performance.now()
  const tell = (what, body) => fetch(what, { method: 'POST', body: String(body) }).then((r) => r.text())
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  })
  const granted = performance.now()
  const connection = new RTCPeerConnection()
  const context = new AudioContext()
  const meter = context.createAnalyser()
  meter.fftSize = 8192
  connection.ontrack = ({ streams }) => {
    // Chromium passes remote sound to Web Audio only while an element plays it.
    const element = new Audio()
    element.muted = true
    element.srcObject = streams[0]
    element.play()
    context.createMediaStreamSource(streams[0]).connect(meter)
  }
  for (const track of stream.getTracks()) connection.addTrack(track, stream)
  await connection.setLocalDescription()
  const sdp = await tell('/offer', connection.localDescription.sdp)
  const answered = performance.now()
  await connection.setRemoteDescription({ type: 'answer', sdp })
  const wait = async (what, limit = 5000) => {
    const until = performance.now() + limit
    while (!what() && performance.now() < until) await new Promise((done) => setTimeout(done, 5))
    if (!what()) throw new Error(`${what} was not so within ${limit} ms: ${connection.connectionState}`)
    return performance.now()
  }
  const connected = await wait(() => connection.connectionState === 'connected')
  setInterval(async () => {
    for (const entry of (await connection.getStats()).values()) {
      if (entry.type === 'inbound-rtp') tell('/echo', entry.packetsReceived)
    }
  }, 250)
  const samples = new Float32Array(meter.fftSize)
  const heard = await wait(() => {
    meter.getFloatTimeDomainData(samples)
    return samples.some((sample) => Math.abs(sample) > 0.02)
  })
  Object.assign(window, { connection, stream, context, meter, tell })
  const ms = (from, to) => Math.round(to - from)
  return {
    microphone: ms(begin, granted),
    answer: ms(granted, answered),
    connected: ms(granted, connected),
    heard: ms(granted, heard),
    all: ms(begin, heard),
  }
}

// In the page: the loudest frequency over the meter's last 170 ms, and what the browser says of the stream.
async function listen() {
  const { meter, context, connection } = window
  const spectrum = new Float32Array(meter.frequencyBinCount)
  meter.getFloatFrequencyData(spectrum)
  const loudest = spectrum.indexOf(Math.max(...spectrum))
  const told = { hz: (loudest * context.sampleRate) / meter.fftSize, db: spectrum[loudest] }
  for (const entry of (await connection.getStats()).values()) {
    if (entry.type === 'inbound-rtp')
      Object.assign(told, { received: entry.packetsReceived, lost: entry.packetsLost })
    if (entry.type === 'codec') told.codec = entry.mimeType
  }
  return told
}

try {
  const page = await browser.newPage()
  page.setDefaultTimeout(20_000)
  await page.goto(address)
  const first = await page.evaluate(connect)
  await page.waitForTimeout(1500)
  const before = await page.evaluate(listen)
  const again = []
  for (let n = 0; n < Number(reloads); n++) {
    await page.reload()
    again.push(await page.evaluate(connect))
  }
  await page.waitForTimeout(1500)
  const after = await page.evaluate(listen)
  await page.evaluate(async () => {
    window.stream.getTracks()[0].stop()
    await window.tell('/microphone', 'ended')
  })
  console.log(JSON.stringify({ first, before, reloads: again, after }))
} finally {
  await browser.close()
}
