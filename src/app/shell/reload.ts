/** Reloads the page, with the newest version that this browser already has: one that waits to be taken is taken. */
export const reload = async (): Promise<void> => {
  const registration =
    'serviceWorker' in navigator ? await navigator.serviceWorker.getRegistration() : undefined
  const waiting = registration?.waiting ?? null
  if (waiting !== null) {
    await new Promise<void>((resolve) => {
      waiting.addEventListener('statechange', () => {
        if (waiting.state === 'activated' || waiting.state === 'redundant') resolve()
      })
      waiting.postMessage({ type: 'SKIP_WAITING' })
    })
  }
  location.reload()
}
