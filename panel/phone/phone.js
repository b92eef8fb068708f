// The demonstration's telephone: calls the hotline as a citizen. Keeps nothing: a reload knows of no call.

const TEXTS = {
  'zh-CN': {
    title: '市民电话（演示）',
    about: '用浏览器的麦克风拨打 12341，就像市民来电一样。',
    ear: '听筒',
    microphone: '话筒',
    keys: '拨号键盘',
    privacy: '仅用于演示。本页不保存任何内容；与其他来电一样，通话会被录音并生成工单草稿。',
    other: 'English',
    call: '拨打 12341',
    hangUp: '挂断',
    from: (number) => `本机号码 ${number}`,
    idle: '未通话',
    asking: '请允许使用麦克风',
    calling: '正在呼叫',
    ringing: '正在振铃',
    talking: '通话中',
    denied: '无法使用麦克风',
    full: '演示电话全部占用，请稍后再试',
    failed: '无法接通',
    lost: '与服务器的连接已断开',
    hung_up: '已挂断',
    released: '对方已挂断',
    busy: '线路忙',
    refused: '呼叫被拒绝',
    no_answer: '无人应答',
    too_long: '通话已满三十分钟',
  },
  en: {
    title: 'A citizen’s telephone (demonstration)',
    about: 'Calls 12341 with the browser’s microphone, as a citizen would.',
    ear: 'Ear',
    microphone: 'Microphone',
    keys: 'Keypad',
    privacy: 'For the demonstration only. This page keeps nothing; like every call it is recorded and leaves a draft ticket.',
    other: '中文',
    call: 'Call 12341',
    hangUp: 'Hang up',
    from: (number) => `Calling from ${number}`,
    idle: 'Not in a call',
    asking: 'Please allow the microphone',
    calling: 'Calling',
    ringing: 'Ringing',
    talking: 'In a call',
    denied: 'The microphone cannot be used',
    full: 'All telephones of the demonstration are in use; try again later',
    failed: 'The call could not be made',
    lost: 'The connection to the server is lost',
    hung_up: 'Hung up',
    released: 'The other side has hung up',
    busy: 'Busy',
    refused: 'The call was refused',
    no_answer: 'No answer',
    too_long: 'Half an hour is over',
  },
}

const POLL_MS = 1000
const by = (id) => document.getElementById(id)
let language = 'zh-CN'
let state = 'idle'
/** The call in progress: its connection, streams, timers and, once the server has it, its name. */
let call = null

function draw() {
  const texts = TEXTS[language]
  document.documentElement.lang = language
  document.title = texts.title
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = texts[element.dataset.text]
  by('language').textContent = texts.other
  by('language').lang = language === 'en' ? 'zh-CN' : 'en'
  by('keys').setAttribute('aria-label', texts.keys)
  by('state').textContent = texts[state]
  by('state').dataset.state = state
  by('from').textContent = call?.number ? texts.from(call.number) : ''
  by('call').textContent = call ? texts.hangUp : texts.call
  by('call').classList.toggle('up', call !== null)
  for (const key of by('keys').children) key.disabled = state !== 'talking'
}

function show(next) {
  state = next
  draw()
}

const ask = (method, path, body) =>
  fetch(`/demo/phone/calls${path}`, {
    method,
    headers: body ? { 'content-type': 'application/json' } : {},
    body: body && JSON.stringify(body),
  })

/** Gives back microphone and connection. */
function end(mine, why) {
  if (mine.over) return
  mine.over = true
  clearInterval(mine.poll)
  clearInterval(mine.draw)
  mine.connection?.close()
  for (const track of mine.stream?.getTracks() ?? []) track.stop()
  mine.context?.close()
  mine.element?.pause()
  if (call === mine) call = null
  for (const id of ['ear', 'microphone']) by(id).value = 0
  show(why)
}

function meter(context, stream) {
  const analyser = context.createAnalyser()
  analyser.fftSize = 1024
  context.createMediaStreamSource(stream).connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  return () => {
    analyser.getFloatTimeDomainData(samples)
    return Math.min(1, 4 * Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length))
  }
}

async function look(mine) {
  try {
    const response = await ask('GET', `/${mine.id}`)
    if (mine.over) return
    if (!response.ok) return end(mine, 'lost')
    const told = await response.json()
    mine.missed = 0
    if (told.state === 'ended') end(mine, told.reason)
    else if (!mine.over && told.state !== state) show(told.state)
  } catch {
    mine.missed = (mine.missed ?? 0) + 1
    if (mine.missed >= 3) end(mine, 'lost')
  }
}

async function begin() {
  const mine = { meters: {} }
  call = mine
  show('asking')
  try {
    mine.stream = await navigator.mediaDevices.getUserMedia({ audio: true })
  } catch {
    return end(mine, 'denied')
  }
  // Hung up while the question was open.
  if (mine.over) return mine.stream.getTracks().forEach((track) => track.stop())
  try {
    mine.context = new AudioContext()
    mine.meters.microphone = meter(mine.context, mine.stream)
    mine.connection = new RTCPeerConnection()
    mine.connection.ontrack = ({ track, streams }) => {
      const heard = streams[0] ?? new MediaStream([track])
      mine.element = new Audio()
      mine.element.srcObject = heard
      mine.element.play()
      mine.meters.ear = meter(mine.context, heard)
    }
    for (const track of mine.stream.getTracks()) mine.connection.addTrack(track, mine.stream)
    mine.draw = setInterval(() => {
      for (const [id, level] of Object.entries(mine.meters)) by(id).value = level()
    }, 50)
    await mine.connection.setLocalDescription()
    const response = await ask('POST', '', { sdp: mine.connection.localDescription.sdp })
    if (!response.ok) return end(mine, response.status === 503 ? 'full' : 'failed')
    const answer = await response.json()
    mine.id = answer.id
    if (mine.over) return await ask('DELETE', `/${mine.id}`)
    mine.number = answer.number
    await mine.connection.setRemoteDescription({ type: 'answer', sdp: answer.sdp })
    if (mine.over) return
    mine.poll = setInterval(() => look(mine), POLL_MS)
    show('calling')
    await look(mine)
  } catch {
    if (mine.id) ask('DELETE', `/${mine.id}`).catch(() => {})
    end(mine, 'failed')
  }
}

function hangUp() {
  const mine = call
  if (mine.id) ask('DELETE', `/${mine.id}`).catch(() => {})
  end(mine, 'hung_up')
}

function press(digit) {
  if (state === 'talking' && call?.id) ask('POST', `/${call.id}/keys`, { digits: digit }).catch(() => {})
}

for (const digit of '123456789*0#') {
  const key = document.createElement('button')
  key.type = 'button'
  key.textContent = digit
  key.addEventListener('click', () => press(digit))
  by('keys').append(key)
}
document.addEventListener('keydown', (event) => {
  if (/^[0-9*#]$/.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey) press(event.key)
})
by('call').addEventListener('click', () => (call ? hangUp() : begin()))
by('language').addEventListener('click', () => {
  language = language === 'en' ? 'zh-CN' : 'en'
  draw()
})
addEventListener('pagehide', () => {
  if (call?.id) fetch(`/demo/phone/calls/${call.id}`, { method: 'DELETE', keepalive: true })
})
draw()
