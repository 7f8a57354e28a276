/**
 * What a node-by-node engine of JSON items does (as n8n and its like do): every node is handed items `{ json }` and hands on
 * items of its own; between two nodes the whole list is copied, so that no node changes what another one holds.
 */
import { deviation, median, squaredCorrelation, sumRows, toPeer } from './engine.js'
import { parseCsv } from './parse-csv.js'

const tables = {}

const node = (work) => (items) => work(items.map(({ json }) => ({ json: { ...json } })))

const grouped = (keys, toValues) =>
  node((items) => {
    const groups = new Map()
    for (const { json } of items) {
      const key = JSON.stringify(keys.map((name) => json[name]))
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [json])
      else group.push(json)
    }
    return [...groups].map(([key, rows]) => ({
      json: {
        ...Object.fromEntries(JSON.parse(key).map((value, at) => [keys[at], value])),
        ...toValues(rows)
      }
    }))
  })

const sum = (rows, name) => rows.reduce((total, row) => total + row[name], 0)
const mean = (rows, name) => sum(rows, name) / rows.length
const column = (rows, name) => rows.map((row) => row[name])

const VALUES = {
  q1: (rows) => ({ v1: sum(rows, 'v1') }),
  q2: (rows) => ({ v1: sum(rows, 'v1') }),
  q3: (rows) => ({ v1: sum(rows, 'v1'), v3: mean(rows, 'v3') }),
  q4: (rows) => ({ v1: mean(rows, 'v1'), v2: mean(rows, 'v2'), v3: mean(rows, 'v3') }),
  q5: (rows) => ({ v1: sum(rows, 'v1'), v2: sum(rows, 'v2'), v3: sum(rows, 'v3') }),
  q6: (rows) => ({ middle: median(column(rows, 'v3')), sd: deviation(column(rows, 'v3')) }),
  q7: (rows) => ({
    span:
      rows.reduce((max, { v1 }) => Math.max(max, v1), -Infinity) -
      rows.reduce((min, { v2 }) => Math.min(min, v2), Infinity)
  }),
  q9: (rows) => ({ r2: squaredCorrelation(column(rows, 'v1'), column(rows, 'v2')) }),
  q10: (rows) => ({ v3: sum(rows, 'v3'), n: rows.length })
}

const largest = node((items) => {
  const groups = new Map()
  for (const { json } of items) groups.set(json.id6, [...(groups.get(json.id6) ?? []), json])
  return [...groups.values()].flatMap((rows) =>
    rows
      .toSorted((left, right) => right.v3 - left.v3)
      .slice(0, 2)
      .map((json) => ({ json }))
  )
})

const joined = ({ with: other, key, type }) =>
  node((items) => {
    const index = new Map(tables[other].map(({ json }) => [json[key], json]))
    return items.flatMap(({ json }) => {
      const found = index.get(json[key])
      if (found === undefined) return type === 'left' ? [{ json }] : []
      return [{ json: { ...found, ...json } }]
    })
  })

export const peer = toPeer({
  read: async (names, files) => {
    for (const [index, name] of names.entries())
      tables[name] = (await parseCsv(files[index])).map((json) => ({ json }))
  },
  ask: async (question) => {
    if (question.with !== undefined) return joined(question)(tables.j)
    return question.id === 'q8' ? largest(tables.x) : grouped(question.keys, VALUES[question.id])(tables.x)
  },
  look: async (items, columns) => ({
    rows: items.length,
    sum: sumRows(
      items.map(({ json }) => json),
      columns
    )
  })
})
