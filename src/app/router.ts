import {
  createRouter,
  createWebHistory,
  type Router,
  type RouteRecordRaw,
  type RouterScrollBehavior
} from 'vue-router'

const routes: RouteRecordRaw[] = [
  { path: '/', redirect: { name: 'workflows' } },
  {
    path: '/workflows',
    name: 'workflows',
    meta: { title: 'Workflows' },
    component: () => import('./workflows/WorkflowListPage.vue')
  },
  {
    path: '/workflows/:workflowId',
    name: 'workflow',
    meta: { title: 'Workflow' },
    component: () => import('./workflows/WorkflowEditorPage.vue')
  },
  {
    path: '/data/:dataSourceId?',
    name: 'data',
    meta: { title: 'Data' },
    component: () => import('./data/DataPage.vue')
  },
  {
    path: '/data/rows/:dataSourceId?',
    name: 'type-rows',
    meta: { title: 'Type rows' },
    component: () => import('./data/typed-rows/TypedRowsPage.vue')
  },
  {
    path: '/runs',
    name: 'runs',
    meta: { title: 'Runs' },
    component: () => import('./runs/RunListPage.vue')
  },
  {
    path: '/runs/:runId',
    name: 'run',
    meta: { title: 'Run' },
    component: () => import('./runs/RunPage.vue')
  },
  {
    path: '/catalog/:itemId?',
    name: 'catalog',
    meta: { title: 'Catalog' },
    component: () => import('./catalog/CatalogPage.vue')
  },
  {
    path: '/settings',
    name: 'settings',
    meta: { title: 'Settings' },
    component: () => import('./settings/SettingsPage.vue')
  },
  {
    path: '/:path(.*)*',
    name: 'not-found',
    meta: { title: 'Not found' },
    component: () => import('./shell/NotFoundPage.vue')
  }
]

const scrollerOf = (element: Element): Element | null => {
  const parent = element.parentElement
  if (parent === null || ['auto', 'scroll'].includes(getComputedStyle(parent).overflowY)) return parent
  return scrollerOf(parent)
}

/**
 * What scrolls is a part of the screen, not the window: a hash brings its part into view there. `scrollIntoView` would
 * move the frame, too.
 */
const scrollBehavior: RouterScrollBehavior = ({ hash }) => {
  const element = hash === '' ? null : document.getElementById(decodeURIComponent(hash.slice(1)))
  const scroller = element === null ? null : scrollerOf(element)
  if (element !== null && scroller !== null) {
    scroller.scrollTop += element.getBoundingClientRect().top - scroller.getBoundingClientRect().top
  }
  return false
}

/** Every screen is a chunk of its own: the first one to be seen does not wait for the others. */
export const createAppRouter = (): Router => {
  const router = createRouter({ history: createWebHistory(), routes, scrollBehavior })
  router.afterEach((to) => {
    const title = to.meta['title']
    document.title = typeof title === 'string' ? `${title} · FlowForge` : 'FlowForge'
  })
  return router
}
