import type { RouteRecordNameGeneric } from 'vue-router'

/** The places of the rail, and which routes each one stands for. */
const screen = (name: string, title: string, icon: string, key: string, inner: readonly string[] = []) => ({
  name,
  title,
  icon,
  /** Pressed after `g`. */
  key,
  owns: (route: RouteRecordNameGeneric): boolean =>
    route === name || (typeof route === 'string' && inner.includes(route))
})

export const screens = [
  screen('workflows', 'Workflows', 'i-lucide-workflow', 'w', ['workflow']),
  screen('data', 'Data', 'i-lucide-table-2', 'd', ['type-rows']),
  screen('runs', 'Runs', 'i-lucide-circle-play', 'r', ['run']),
  screen('catalog', 'Catalog', 'i-lucide-library', 'c'),
  screen('settings', 'Settings', 'i-lucide-settings', 's')
] as const
