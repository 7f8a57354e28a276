/** Loads of a short and of a long stream, as objects in the caller's hands. */
import { withBrowser } from '../browsers.mjs'
import { openPeer } from '../driver.mjs'
import { takeTurns } from '../turns.mjs'

export const measure = (place) =>
  withBrowser(place, 'loads', async (browser) => {
    const { shortStream, longStream } = place.sizes
    const results = await takeTurns({
      title: 'loads',
      peers: place.peers,
      rounds: place.rounds,
      open: async (peer) => {
        const opened = await openPeer(peer, { ...place, browser, directory: 'loads' })
        const short = await opened.run('writeStream', { stream: 'bench:short', count: shortStream })
        const long = await opened.run('writeStream', { stream: 'bench:long', count: longStream })
        return { ...opened, short, long }
      },
      turn: async ({ run, short, long }) => ({
        short: await run('measureLoad', { ...short, repeats: 20 }),
        long: await run('measureLoad', { ...long, repeats: 1 })
      })
    })
    const section = (id, count, key) => ({
      id,
      title: `Load of a stream of ${count.toLocaleString('en')} events`,
      unit: 'ms',
      isHigherBetter: false,
      rows: place.peers.map((peer) => {
        const { turns, error } = results.get(peer.id)
        return { peer, error, values: turns.map((times) => times[key]) }
      })
    })
    return [section('load-short', shortStream, 'short'), section('load-long', longStream, 'long')]
  })
