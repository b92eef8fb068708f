import { createRouter, createWebHashHistory } from 'vue-router'
import { onSignedOut } from './api/http'
import { i18n } from './i18n'
import { landing, pagesOf, type PageName } from './lib/roles'
import { useSession } from './stores/session'

export const router = createRouter({
  // One file is served, at "/": where one is stands behind the "#", so that a reload or a link needs no rule on the server.
  history: createWebHashHistory(),
  routes: [
    { path: '/login', name: 'login', component: () => import('./pages/SignIn.vue') },
    {
      path: '/',
      component: () => import('./pages/Frame.vue'),
      children: [
        // The guard sends on: where one begins depends on who one is.
        { path: '', name: 'start', component: () => import('./pages/Nowhere.vue') },
        { path: 'work', name: 'work', component: () => import('./pages/Work.vue') },
        { path: 'wall', name: 'wall', component: () => import('./pages/Wall.vue') },
        { path: 'admin/:tab?', name: 'admin', component: () => import('./pages/Admin.vue'), props: true },
        { path: 'callbacks', name: 'callbacks', component: () => import('./pages/Callbacks.vue') },
        { path: 'people', name: 'people', component: () => import('./pages/People.vue') },
        { path: 'roster', name: 'roster', component: () => import('./pages/Roster.vue') },
        { path: 'calls/:id?', name: 'calls', component: () => import('./pages/Calls.vue'), props: true },
        {
          path: 'tickets/:no?',
          name: 'tickets',
          component: () => import('./pages/Tickets.vue'),
          props: true,
        },
        { path: 'kb/:id?', name: 'kb', component: () => import('./pages/Knowledge.vue'), props: true },
        { path: ':rest(.*)*', name: 'nowhere', component: () => import('./pages/Nowhere.vue') },
      ],
    },
  ],
})

/** Pages that not every role has. */
const RESERVED: PageName[] = ['work', 'wall', 'people', 'callbacks', 'roster', 'kb', 'admin']

router.beforeEach(async (to) => {
  const session = useSession()
  if (to.name === 'login') return true
  if (!(await session.known()))
    return { name: 'login', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
  if (to.name === 'start') return { name: landing(session.roles) }
  const closed =
    RESERVED.includes(to.name as PageName) && !pagesOf(session.roles).includes(to.name as PageName)
  return closed ? { name: landing(session.roles) } : true
})

router.afterEach((to) => {
  const pages = ['work', 'wall', 'people', 'roster', 'calls', 'tickets', 'kb', 'callbacks', 'admin']
  const named = pages.includes(String(to.name))
  const page = named ? `${i18n.global.t(`nav.${String(to.name)}`)} · ` : ''
  document.title = page + i18n.global.t('app.title')
})

// A session that ended while the page was open: back to the door, and afterwards to where one was.
onSignedOut.call = () => {
  useSession().forget()
  const at = router.currentRoute.value
  if (at.name !== 'login') void router.push({ name: 'login', query: { next: at.fullPath, expired: '1' } })
}
