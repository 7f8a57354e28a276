/** Appends: each awaited, many at once, many in a batch. What was acknowledged is looked for again after a reopening. */
import { withBrowser } from '../browsers.mjs'
import { openPeer } from '../driver.mjs'
import { WARM_UP } from '../kit.mjs'
import { takeTurns } from '../turns.mjs'

export const measure = (place) =>
  withBrowser(place, 'appends', async (browser) => {
    const { awaited, atOnce, batch } = place.sizes
    const sizesOf = ({ atMost = {} }) =>
      Object.fromEntries(
        Object.entries({ awaited, atOnce, batch }).map(([key, count]) => [
          key,
          Math.min(count, atMost[key] ?? count)
        ])
      )
    const open = (peer) => openPeer(peer, { ...place, browser, directory: 'appends' })
    const results = await takeTurns({
      title: 'appends',
      peers: place.peers,
      rounds: place.rounds,
      open: async (peer) => {
        const opened = await open(peer)
        place.versions.set(peer.id, opened.version)
        await opened.run('measureAppends', { turn: 'warm-up', ...WARM_UP })
        return opened
      },
      turn: (opened, turn, peer) => opened.run('measureAppends', { turn, ...sizesOf(peer) }),
      after: async (opened, turns, peer) => {
        await opened.close()
        const again = await open(peer)
        try {
          await again.run('checkReopened', { written: turns.flatMap(({ written }) => written) })
        } finally {
          await again.close()
        }
      }
    })
    const section = (id, title, count, key) => ({
      id,
      title,
      unit: 'events/s',
      isHigherBetter: true,
      rows: place.peers.map((peer) => {
        const { turns, error } = results.get(peer.id)
        const own = sizesOf(peer)[key]
        const note = own < count ? `${own} at a turn` : undefined
        return { peer, error, note, values: turns.map(({ times }) => (own / times[key]) * 1_000) }
      })
    })
    return [
      section('awaited', `Appends, each awaited (${awaited})`, awaited, 'awaited'),
      section('at-once', `Appends, ${atOnce.toLocaleString('en')} at once`, atOnce, 'atOnce'),
      section('batch', `Appends, ${batch.toLocaleString('en')} in a batch`, batch, 'batch')
    ]
  })
