/** Several tabs: the leader's end, and how soon another tab hears what was appended. FlowForge alone: its peers do not lead. */
import { withBrowser } from '../browsers.mjs'
import { measureFailOver } from '../fail-over.mjs'
import { PEERS } from '../peers.mjs'
import { percentile, say } from '../turns.mjs'

const TABS = 8

export const measure = (place) =>
  withBrowser(place, 'tabs', async (browser) => {
    say('tabs')
    const { failOvers, atOnce } = place.sizes
    const { failOver, heard } = await measureFailOver({
      browser,
      appUrl: place.urls.app,
      kills: failOvers,
      tabs: TABS,
      rounds: place.rounds,
      atOnce
    })
    const section = (id, title, rows, notes) => ({
      id,
      title,
      unit: 'ms',
      isHigherBetter: false,
      rows,
      notes
    })
    return [
      section(
        'fail-over',
        `Fail-over among ${TABS} tabs, ${failOvers} kills`,
        [
          { label: 'p50', values: [percentile(failOver, 0.5)] },
          { label: 'p95', values: [percentile(failOver, 0.95)] }
        ],
        [
          'The leading tab is closed while another one appends without a pause; the figure is the pause between two acknowledgements there. After each kill the stream is whole: every acknowledged event once, in order.'
        ]
      ),
      section(
        'heard',
        `${atOnce.toLocaleString('en')} appends at once, heard in another tab`,
        [{ peer: PEERS[0], values: heard }],
        [
          'From the first call in the leading tab until a subscription in a following one has heard the last event.'
        ]
      )
    ]
  })
