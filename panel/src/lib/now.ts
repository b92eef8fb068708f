// One clock for every running figure on the page: the server's time, once a second.
import { ref } from 'vue'
import { skew } from '../api/http'

export const now = ref(Date.now())
setInterval(() => (now.value = Date.now() + skew.value), 1000)
