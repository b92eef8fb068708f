import { createRouter, createWebHistory } from 'vue-router'
import { onSignedOut } from './api/http'
import { i18n } from './i18n'
import { useSession } from './stores/session'

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/login', name: 'login', component: () => import('./pages/SignIn.vue') },
    {
      path: '/',
      component: () => import('./pages/Frame.vue'),
      children: [
        { path: '', redirect: '/calls' },
        { path: 'calls/:id?', name: 'calls', component: () => import('./pages/Calls.vue'), props: true },
        { path: 'tickets/:no?', name: 'tickets', component: () => import('./pages/Tickets.vue'), props: true },
        { path: ':rest(.*)*', name: 'nowhere', component: () => import('./pages/Nowhere.vue') },
      ],
    },
  ],
})

router.beforeEach(async (to) => {
  const session = useSession()
  if (to.name === 'login') return true
  return (await session.known()) || { name: 'login', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
})

router.afterEach((to) => {
  const page = to.name === 'tickets' || to.name === 'calls' ? `${i18n.global.t(`nav.${to.name}`)} · ` : ''
  document.title = page + i18n.global.t('app.title')
})

// A session that ended while the page was open: back to the door, and afterwards to where one was.
onSignedOut.call = () => {
  useSession().forget()
  const at = router.currentRoute.value
  if (at.name !== 'login') void router.push({ name: 'login', query: { next: at.fullPath, expired: '1' } })
}
