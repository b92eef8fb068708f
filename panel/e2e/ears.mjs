// The page's own ears: whatever stream a connection brings, and its microphone.

export const FAKE_MICROPHONE = (file) => [
  '--no-sandbox',
  '--autoplay-policy=no-user-gesture-required',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  `--use-file-for-fake-audio-capture=${file}`,
]

/** For `addInitScript`: keeps the last stream heard as `window.remote`, the microphone's as `window.local`. */
export function keepStreams() {
  const Native = window.RTCPeerConnection
  window.RTCPeerConnection = class extends Native {
    constructor(...how) {
      super(...how)
      this.addEventListener('track', ({ streams, track }) => {
        window.remote = streams[0] ?? new MediaStream([track])
        window.connection = this
      })
    }
  }
  const devices = navigator.mediaDevices
  const open = devices?.getUserMedia.bind(devices)
  if (open) devices.getUserMedia = async (wish) => (window.local = await open(wish))
}

/** In the page: what its loudspeaker plays for so long, 16-bit samples at 8 kHz in base64. */
export async function listen(seconds) {
  const context = new AudioContext({ sampleRate: 8000 })
  const taken = []
  const tap = context.createScriptProcessor(4096, 1, 1)
  tap.onaudioprocess = ({ inputBuffer }) => taken.push(Float32Array.from(inputBuffer.getChannelData(0)))
  context.createMediaStreamSource(window.remote).connect(tap)
  tap.connect(context.destination)
  await context.resume()
  await new Promise((done) => setTimeout(done, seconds * 1000))
  tap.disconnect()
  const samples = Int16Array.from(
    taken.flatMap((part) => [...part].map((s) => Math.max(-1, Math.min(1, s)) * 32767)),
  )
  let text = ''
  for (const byte of new Uint8Array(samples.buffer)) text += String.fromCharCode(byte)
  await context.close()
  return btoa(text)
}
