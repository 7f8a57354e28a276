/** Danfo.js: pandas' words over TensorFlow.js. What it has no word for is not asked of it. */
import { merge, readCSV } from 'danfojs'
import { toPeer, toSummand } from './engine.js'

const tables = {}

/** Its own names for what comes out: `v1_sum`. */
const CALLS = {
  q1: { v1: 'sum' },
  q2: { v1: 'sum' },
  q3: { v1: 'sum', v3: 'mean' },
  q4: { v1: 'mean', v2: 'mean', v3: 'mean' },
  q5: { v1: 'sum', v2: 'sum', v3: 'sum' }
}

export const peer = toPeer({
  read: async (names, files) => {
    for (const [index, name] of names.entries()) tables[name] = await readCSV(files[index])
  },
  ask: async ({ id, keys, key, type, with: other }) => {
    if (other !== undefined)
      return merge({
        left: tables.j,
        right: tables[other].loc({ columns: [key, 'v2'] }),
        on: [key],
        how: type
      })
    const calls = CALLS[id]
    if (calls === undefined) throw new Error('Danfo.js has no word for it')
    return tables.x.groupby(keys).agg(calls)
  },
  look: async (frame, columns) => {
    const names = columns.map((name) =>
      frame.columns.find((each) => each === name || each.startsWith(`${name}_`))
    )
    let sum = 0
    for (const name of names) for (const value of frame.column(name).values) sum += toSummand(value)
    return { rows: frame.shape[0], sum }
  }
})
