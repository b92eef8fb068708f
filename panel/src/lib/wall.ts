// The city wall on the sign-in page: courses of bricks, fewer towards the top, three lit and one in cinnabar.

export interface Brick {
  x: number
  y: number
  tone: 'a' | 'b' | 'lit' | 'red'
}

const WIDTH = 48
const COURSE = 19

/** How high the wall stands at x (0–720), in courses: low at the left, a tower right of the middle. */
const height = (x: number) =>
  5 + 7.2 * Math.exp(-(((x - 480) / 150) ** 2)) + 1.6 * Math.exp(-(((x - 40) / 70) ** 2))

/** The same wall every time: the tone of a brick comes from its place. */
export function wall(): Brick[] {
  const bricks: Brick[] = []
  for (let course = 0; course < 13; course++) {
    const offset = course % 2 ? -20 : 4
    for (let x = offset - WIDTH; x < 760; x += WIDTH) {
      if (course < height(x + WIDTH / 2)) {
        const mix = Math.abs(Math.sin((x + 31) * 12.9898 + course * 78.233) * 43758.5453) % 1
        bricks.push({ x, y: 755 - course * COURSE, tone: mix < 0.4 ? 'b' : 'a' })
      }
    }
  }
  const top = bricks.filter((b) => !bricks.some((o) => o.y === b.y - COURSE && Math.abs(o.x - b.x) < WIDTH))
  const highest = top.reduce((best, b) => (b.y < best.y ? b : best), top[0] ?? { x: 0, y: 0, tone: 'a' })
  top.forEach((b, n) => (b.tone = b === highest ? 'red' : n % 3 === 0 ? 'lit' : b.tone))
  return bricks
}

/** The longest wait that callers are told at this moment, ms; null: none is told any. */
export function longestStated(queues: readonly { stated_wait_ms?: number | null }[]): number | null {
  const told = queues.map((q) => q.stated_wait_ms ?? null).filter((ms) => ms !== null)
  return told.length ? Math.max(...told) : null
}

/** The line to the head of a department is there while a session is: on other days nobody serves it and nobody waits in it. */
export const shownQueues = <T extends { queue: string; waiting: number; staffed: number }>(
  queues: readonly T[],
): T[] => queues.filter((q) => q.queue !== 'leader' || q.waiting > 0 || q.staffed > 0)
