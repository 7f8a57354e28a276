/** Heavy reads on a replica, beside appends: `replica.mjs` of this folder, where this version has one. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { withBrowser } from '../browsers.mjs'
import { benchFolder } from '../setup.mjs'
import { say } from '../turns.mjs'

/** Whatever it measured: a number, or a list of numbers, each under its name. */
const toRows = (measured) =>
  Object.entries(measured).flatMap(([label, found]) => {
    if (typeof found === 'number') return [{ label, values: [found] }]
    return Array.isArray(found) && found.every((each) => typeof each === 'number')
      ? [{ label, values: found }]
      : []
  })

export const measure = async (place) => {
  const file = join(benchFolder, 'replica.mjs')
  const section = (rows, notes) => [
    {
      id: 'replica',
      title: 'Reads on a replica beside appends',
      unit: 'ms',
      isHigherBetter: false,
      rows,
      notes
    }
  ]
  if (!existsSync(file)) return section([], ['This version has no replica to measure.'])
  return withBrowser(place, 'replica', async (browser) => {
    say('replica')
    const { measureReplica } = await import(pathToFileURL(file).href)
    return section(toRows(await measureReplica({ browser, appUrl: place.urls.app })), [])
  })
}
