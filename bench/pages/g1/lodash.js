/** Papa Parse and lodash: rows are objects, a question is groupBy and what follows. */
import { groupBy, keyBy, maxBy, meanBy, minBy, orderBy, sumBy } from 'lodash'
import { deviation, median, squaredCorrelation, sumRows, toPeer } from './engine.js'
import { parseCsv } from './parse-csv.js'

const tables = {}

const by = (keys, toValues) => {
  const groups = groupBy(
    tables.x,
    keys.length === 1 ? keys[0] : (row) => keys.map((key) => row[key]).join('|')
  )
  return Object.values(groups).map((rows) => ({
    ...Object.fromEntries(keys.map((key) => [key, rows[0][key]])),
    ...toValues(rows)
  }))
}

const VALUES = {
  q1: (rows) => ({ v1: sumBy(rows, 'v1') }),
  q2: (rows) => ({ v1: sumBy(rows, 'v1') }),
  q3: (rows) => ({ v1: sumBy(rows, 'v1'), v3: meanBy(rows, 'v3') }),
  q4: (rows) => ({ v1: meanBy(rows, 'v1'), v2: meanBy(rows, 'v2'), v3: meanBy(rows, 'v3') }),
  q5: (rows) => ({ v1: sumBy(rows, 'v1'), v2: sumBy(rows, 'v2'), v3: sumBy(rows, 'v3') }),
  q6: (rows) => {
    const values = rows.map(({ v3 }) => v3)
    return { middle: median(values), sd: deviation(values) }
  },
  q7: (rows) => ({ span: maxBy(rows, 'v1').v1 - minBy(rows, 'v2').v2 }),
  q9: (rows) => ({
    r2: squaredCorrelation(
      rows.map(({ v1 }) => v1),
      rows.map(({ v2 }) => v2)
    )
  }),
  q10: (rows) => ({ v3: sumBy(rows, 'v3'), n: rows.length })
}

const joined = ({ with: other, key, type }) => {
  const index = keyBy(tables[other], key)
  const rows = tables.j.map((row) => {
    const found = index[row[key]]
    return found === undefined ? (type === 'left' ? row : undefined) : { ...found, ...row }
  })
  return rows.filter((row) => row !== undefined)
}

export const peer = toPeer({
  read: async (names, files) => {
    for (const [index, name] of names.entries()) tables[name] = await parseCsv(files[index])
  },
  ask: async (question) => {
    if (question.with !== undefined) return joined(question)
    if (question.id !== 'q8') return by(question.keys, VALUES[question.id])
    return Object.values(groupBy(tables.x, 'id6')).flatMap((rows) => orderBy(rows, 'v3', 'desc').slice(0, 2))
  },
  look: async (rows, columns) => ({ rows: rows.length, sum: sumRows(rows, columns) })
})
