/**
 * Tells when the browser puts the page to sleep and when it wakes: a frozen tab, or one that is kept for the way back.
 * Its worker would sleep with it and keep the storage from every other tab.
 */
export const onPageSleep = ({ sleep, wake }: { sleep: () => void; wake: () => void }): void => {
  document.addEventListener('freeze', sleep)
  document.addEventListener('resume', wake)
  addEventListener('pagehide', ({ persisted }) => {
    if (persisted) sleep()
  })
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) wake()
  })
}
