/** Arquero: columns in typed arrays, verbs over them. */
import { desc, fromCSV, op } from 'arquero'
import { toPeer, toSummand } from './engine.js'

const tables = {}

const VALUES = {
  q1: { v1: op.sum('v1') },
  q2: { v1: op.sum('v1') },
  q3: { v1: op.sum('v1'), v3: op.mean('v3') },
  q4: { v1: op.mean('v1'), v2: op.mean('v2'), v3: op.mean('v3') },
  q5: { v1: op.sum('v1'), v2: op.sum('v2'), v3: op.sum('v3') },
  q6: { middle: op.median('v3'), sd: op.stdev('v3') },
  q7: { span: 'd => op.max(d.v1) - op.min(d.v2)' },
  q9: { r2: 'd => op.pow(op.corr(d.v1, d.v2), 2)' },
  q10: { v3: op.sum('v3'), n: op.count() }
}

export const peer = toPeer({
  read: async (names, files) => {
    for (const [index, name] of names.entries()) tables[name] = fromCSV(await files[index].text())
  },
  ask: async ({ id, keys, key, type, with: other }) => {
    if (other !== undefined) {
      const right = tables[other].select(key, 'v2')
      return type === 'left' ? tables.j.join_left(right, key) : tables.j.join(right, key)
    }
    const grouped = tables.x.groupby(...keys)
    if (id !== 'q8') return grouped.rollup(VALUES[id])
    return grouped.orderby(desc('v3')).filter('d => op.row_number() <= 2').select('id6', 'v3').reify()
  },
  look: async (table, columns) => {
    let sum = 0
    for (const name of columns) for (const value of table.array(name)) sum += toSummand(value)
    return { rows: table.numRows(), sum }
  }
})
