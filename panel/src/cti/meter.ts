// A microphone's level and its echo, apart from calls.

/** Loudness in 0 to 100 as an ear takes it: −60 dB is 0, full scale 100. */
export function loudness(samples: ArrayLike<number>): number {
  let sum = 0
  for (let n = 0; n < samples.length; n++) sum += (samples[n] ?? 0) ** 2
  const db = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12)
  return Math.round(Math.min(100, Math.max(0, ((db + 60) / 60) * 100)))
}

export class Level {
  private context: AudioContext | null = null
  private timer: ReturnType<typeof setInterval> | undefined
  constructor(private readonly tell: (level: number) => void) {}

  follow(stream: MediaStream | null) {
    this.stop()
    if (!stream) return this.tell(0)
    const context = (this.context = new AudioContext())
    const meter = context.createAnalyser()
    meter.fftSize = 1024
    context.createMediaStreamSource(stream).connect(meter)
    const samples = new Float32Array(meter.fftSize)
    this.timer = setInterval(() => {
      meter.getFloatTimeDomainData(samples)
      this.tell(loudness(samples))
    }, 100)
  }

  stop() {
    clearInterval(this.timer)
    void this.context?.close()
    this.context = null
  }
}

/** One's own voice a second later, for as long as the test takes. */
export class Echo {
  private context: AudioContext | null = null

  async play(stream: MediaStream, output: string, ms: number) {
    this.stop()
    const context = (this.context = new AudioContext())
    const sinkable = context as AudioContext & { setSinkId?: (id: string) => Promise<void> }
    if (output) await sinkable.setSinkId?.(output).catch(() => {})
    const delay = context.createDelay(2)
    delay.delayTime.value = 1
    context.createMediaStreamSource(stream).connect(delay).connect(context.destination)
    await new Promise((done) => setTimeout(done, ms))
    if (this.context === context) this.stop()
  }

  stop() {
    void this.context?.close()
    this.context = null
  }
}
