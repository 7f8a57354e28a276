// Runs before the first paint, so that a dark screen never flashes white. The key is the one that VueUse keeps.
;(() => {
  const chosen = localStorage.getItem('vueuse-color-scheme')
  const isDark =
    chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.classList.toggle('dark', isDark)
})()
