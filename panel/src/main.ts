import { VueQueryPlugin, QueryClient } from '@tanstack/vue-query'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import sprite from './components/sprite.svg?raw'
import { RequestFailed } from './api/http'
import { i18n, speakAsBefore } from './i18n'
import { router } from './router'
import './styles/tokens.css'
import './styles/el-theme.css'
import './styles/base.css'

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // What the server refused it will refuse again; only silence is worth another try.
      retry: (count, error) =>
        count < 2 && error instanceof RequestFailed && (error.status === 0 || error.status >= 500),
      staleTime: 1000,
      refetchOnWindowFocus: true,
    },
  },
})

// The icons every page refers to by name: a drawing of its own, read as one, not as a page's markup.
const drawn = new DOMParser().parseFromString(sprite, 'image/svg+xml').documentElement
document.body.prepend(document.importNode(drawn, true))

const app = createApp(App)
  .use(createPinia())
  .use(i18n)
  .use(router)
  .use(VueQueryPlugin, { queryClient: queries })
void speakAsBefore().then(() => app.mount('#app'))
