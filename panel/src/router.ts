import { createRouter, createWebHashHistory } from 'vue-router'
import { onSignedOut } from './api/http'
import { i18n, withDesks } from './i18n'
import { landing, pagesOf, type PageName } from './lib/roles'
import { useSession } from './stores/session'

/** A page about tickets brings the words of its desk with it. */
const desk =
  <T>(page: () => Promise<T>) =>
  async () =>
    (await Promise.all([page(), withDesks()]))[0]

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
          path: 'dispatch/:box?',
          name: 'dispatch',
          component: desk(() => import('./pages/Dispatch.vue')),
          props: true,
        },
        { path: 'unit/:box?', name: 'unit', component: desk(() => import('./pages/Unit.vue')), props: true },
        { path: 'visits', name: 'visits', component: desk(() => import('./pages/Visits.vue')) },
        {
          path: 'office/:box?',
          name: 'office',
          component: desk(() => import('./pages/Office.vue')),
          props: true,
        },
        { path: 'tickets', name: 'tickets', component: desk(() => import('./pages/Tickets.vue')) },
        {
          path: 'tickets/:no',
          name: 'ticket',
          component: desk(() => import('./pages/Ticket.vue')),
          props: true,
        },
        { path: 'paper/:no?', name: 'paper', component: () => import('./pages/Paper.vue'), props: true },
        { path: 'rates', name: 'rates', component: () => import('./pages/Rates.vue') },
        { path: 'kb/:id?', name: 'kb', component: () => import('./pages/Knowledge.vue'), props: true },
        { path: ':rest(.*)*', name: 'nowhere', component: () => import('./pages/Nowhere.vue') },
      ],
    },
  ],
})

/** Pages that not every role has. */
const RESERVED: PageName[] = [
  'work',
  'wall',
  'dispatch',
  'unit',
  'visits',
  'office',
  'rates',
  'calls',
  'people',
  'kb',
  'callbacks',
  'paper',
  'roster',
  'admin',
]

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
  const name = to.name === 'ticket' ? 'tickets' : String(to.name)
  const page = i18n.global.te(`nav.${name}`) ? `${i18n.global.t(`nav.${name}`)} · ` : ''
  document.title = page + i18n.global.t('app.title')
})

// A session that ended while the page was open: back to the door, and afterwards to where one was.
onSignedOut.call = () => {
  useSession().forget()
  const at = router.currentRoute.value
  if (at.name !== 'login') void router.push({ name: 'login', query: { next: at.fullPath, expired: '1' } })
}
