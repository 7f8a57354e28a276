import { createSharedComposable, useColorMode } from '@vueuse/core'
import { computed } from 'vue'

export const themes = [
  { value: 'auto', label: 'System', icon: 'i-lucide-monitor' },
  { value: 'light', label: 'Light', icon: 'i-lucide-sun' },
  { value: 'dark', label: 'Dark', icon: 'i-lucide-moon' }
] as const
export type Theme = (typeof themes)[number]['value']

/** Which theme the person chose; `public/theme.js` reads the same key before the first paint. */
export const useTheme = createSharedComposable(() => {
  const { store } = useColorMode()
  const theme = computed<Theme>({
    get: () => store.value,
    set: (chosen) => {
      store.value = chosen
    }
  })
  const next = (): void => {
    const at = themes.findIndex(({ value }) => value === theme.value)
    theme.value = (themes[(at + 1) % themes.length] ?? themes[0]).value
  }
  const look = computed(() => themes.find(({ value }) => value === theme.value) ?? themes[0])
  return { theme, next, look }
})
