/** Opens a peer where it lives, its page or this process, and runs functions of the kit beside it. */
import { join } from 'node:path'
import { KIT, toScript } from './kit.mjs'
import { openNative } from './native.mjs'

/** How long one turn of one peer may take, in ms. */
const PATIENCE = 180_000

const withPatience = async (what, work) => {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not end within ${PATIENCE / 1000} s`)), PATIENCE)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** FlowForge as a peer: what its page offers under `window.db`. */
const adaptFlowForge = async () => {
  const { db } = window
  window.peer = {
    append: async (event) => (await db.appendEvent(event)).id,
    appendMany: async (events) => (await db.appendEvents({ events })).map(({ id }) => id),
    load: (aggregateId) => db.loadEvents({ aggregateId }),
    count: async () => (await db.queryProjection({ sql: 'SELECT count(*) AS count FROM events' }))[0].count
  }
  await window.flowforge.status()
  // A first visit keeps the app for offline use meanwhile, which is not what is measured.
  await Promise.race([navigator.serviceWorker.ready, new Promise((resolve) => setTimeout(resolve, 10_000))])
  return 'ready'
}

/** Peers of one origin share its file system: none may find another's files. */
export const directoryOf = (peer, directory) => `${directory}-${peer.id}`

const openPage = async (peer, { browser, urls, directory, path = '', isLive = false }) => {
  const page = await browser.newPage()
  await page.addInitScript(toScript())
  const complaints = []
  page.on('pageerror', (error) => complaints.push(error.message))
  const isApp = peer.server === 'app'
  await page.goto(isApp ? `${urls.app}${path}` : `${urls[peer.server]}?peer=${peer.id}`)
  try {
    await page.waitForFunction((name) => name in window, isApp ? 'flowforge' : 'peer', { timeout: 30_000 })
  } catch {
    throw new Error(`The page of ${peer.name} did not load: ${complaints.join('; ')}`)
  }
  const version = await withPatience(
    `opening ${peer.name}`,
    isApp
      ? page.evaluate(adaptFlowForge)
      : page.evaluate(
          ([name, options]) => window.peer.open(name, options),
          [directoryOf(peer, directory), { isLive }]
        )
  ).catch(async (thrown) => {
    await page.close()
    throw thrown
  })
  return {
    page,
    version,
    run: (name, args) =>
      withPatience(
        `${name} of ${peer.name}`,
        page.evaluate(([work, given]) => window.bench[work](window.peer, given), [name, args])
      ),
    close: async () => {
      if (!isApp && !page.isClosed())
        await Promise.race([
          page.evaluate(() => window.peer.close?.()).catch(() => undefined),
          new Promise((resolve) => setTimeout(resolve, 2_000))
        ])
      await page.close()
    }
  }
}

/** The files of a page that was just closed may be held for a moment longer. */
const isHeld = (thrown) => /NoModificationAllowedError|Access Handle/.test(String(thrown?.message))

/**
 * @param peer one of PEERS
 * @param place the browser, the addresses, the folder of this run; `directory` names the peer's database
 */
export const openPeer = async (peer, place) => {
  for (let attempt = 0; peer.server !== null; attempt += 1) {
    try {
      return await openPage(peer, place)
    } catch (thrown) {
      if (!isHeld(thrown) || attempt === 10) throw thrown
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
  const { peer: native, version, close } = openNative(join(place.folder, `${place.directory}.db`))
  return { page: null, version, run: (name, args) => KIT[name](native, args), close: async () => close() }
}
