/** Looks at the page's heap until it is told to stop; answers then with the highest, in MB. */
export const watchHeap = async (browser, page) => {
  const devtools = await browser.newCDPSession(page)
  let highest = 0
  let isOver = false
  const watching = (async () => {
    while (!isOver) {
      const { usedSize } = await devtools.send('Runtime.getHeapUsage')
      highest = Math.max(highest, usedSize)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })()
  // Where the page is closed first, whoever closed it says why.
  watching.catch(() => undefined)
  return async () => {
    isOver = true
    await watching
    return highest / 1_000_000
  }
}
