/** Query to screen: from the append's call until the row it leads to is painted, by a live query in the page. */
import { withBrowser } from '../browsers.mjs'
import { openPeer } from '../driver.mjs'
import { takeTurns } from '../turns.mjs'

const STREAM = 'screen:rows'

/** Draws a stream's events in the peer's page whenever its live query is told of them. */
const drawRows = (stream) => {
  const list = document.createElement('ol')
  document.querySelector('main').append(list)
  return window.peer.follow(stream, (events) => {
    list.replaceChildren(
      ...events.map(({ payload }) => {
        const item = document.createElement('li')
        item.textContent = payload.name
        return item
      })
    )
  })
}

/** Runs in the page. `change` of a text makes the row with that text; answers with each time in ms. */
const timeScreens = async ({ isApp, stream, turn, count }) => {
  const seen = (text) =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`"${text}" was not drawn within 30 s`)), 30_000)
      const look = () => {
        if (!document.querySelector('main').textContent.includes(text)) return
        observer.disconnect()
        clearTimeout(late)
        // The frame after the one in which it is there has it painted.
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())))
      }
      const observer = new MutationObserver(look)
      observer.observe(document.body, { childList: true, subtree: true, characterData: true })
      look()
    })
  const append = (text, number) =>
    isApp
      ? window.db.appendEvent({
          aggregateId: `workflow:screen-${turn}-${number}`,
          eventType: 'WorkflowCreated',
          payload: { name: text }
        })
      : window.peer.append({
          ...window.bench.eventOf(stream, number),
          payload: { ...window.bench.eventOf(stream, number).payload, name: text }
        })
  const times = []
  for (let number = 0; number < count; number += 1) {
    const text = `Row ${turn}.${number}.`
    const started = performance.now()
    const painted = seen(text)
    await append(text, number)
    times.push((await painted) - started)
  }
  return times
}

export const measure = (place) =>
  withBrowser(place, 'screen', async (browser) => {
    const peers = place.peers.filter(({ server }) => server !== null)
    const results = await takeTurns({
      title: 'query to screen',
      peers,
      rounds: place.rounds,
      open: async (peer) => {
        const opened = await openPeer(peer, {
          ...place,
          browser,
          directory: 'screen',
          path: 'workflows',
          isLive: true
        })
        if (peer.server !== 'app') await opened.page.evaluate(drawRows, STREAM)
        return opened
      },
      turn: async ({ page }, turn, peer) => {
        // Frames are drawn in the tab in front alone.
        await page.bringToFront()
        return page.evaluate(timeScreens, {
          isApp: peer.server === 'app',
          stream: STREAM,
          turn,
          count: place.sizes.screens
        })
      }
    })
    return [
      {
        id: 'screen',
        title: 'Query to screen',
        unit: 'ms',
        isHigherBetter: false,
        rows: peers.map((peer) => {
          const { turns, error } = results.get(peer.id)
          const note = ['raw', 'wa-sqlite'].includes(peer.id)
            ? 'no live query: read again after each commit'
            : undefined
          return { peer, error, note, values: turns.flat() }
        }),
        notes: [
          `From the call of append to the painted row, the median of ${place.sizes.screens} a turn. FlowForge parses the event, projects it and draws it in the table of its workflows; a peer draws its stream as a bare list, with its own live query where it has one. Two frames are in every figure.`
        ]
      }
    ]
  })
