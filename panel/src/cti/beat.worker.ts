// Beats at the asked interval; a worker's timers are not slowed while its page is hidden.
self.onmessage = (asked: MessageEvent<number>) => {
  setInterval(() => self.postMessage(0), asked.data)
}
