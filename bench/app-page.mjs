/** FlowForge's page with files at hand, and what measurements ask of it. */

/** Opens the built app; the files are in `document.querySelector('#bench-files').files`, as a person would have chosen them. */
export const openApp = async (browser, urls, files) => {
  const page = await browser.newPage()
  await page.goto(urls.app)
  await page.waitForFunction(() => 'flowforge' in window)
  await page.evaluate(async () => {
    await window.flowforge.status()
    const input = document.createElement('input')
    Object.assign(input, { type: 'file', multiple: true, id: 'bench-files', hidden: true })
    document.body.append(input)
  })
  await page.setInputFiles('#bench-files', files)
  return page
}

/** Opens the page of somebody else, who does the same by hand; the files are in `#files`. */
export const openByHand = async (browser, urls, peer, files) => {
  const page = await browser.newPage()
  await page.goto(`${urls.plain}?peer=${peer}`)
  await page.waitForFunction(() => 'peer' in window, undefined, { timeout: 60_000 })
  await page.setInputFiles('#files', files)
  return page
}

/** To be carried out in FlowForge's page: makes data sources of its files. Answers with their names, and the ms it took. */
export const importFiles = async () => {
  const started = performance.now()
  const names = []
  for (const file of document.querySelector('#bench-files').files)
    names.push((await window.flowforge.sources.importFile({ file })).name)
  return { names, ms: performance.now() - started }
}
