/** SQLite-WASM in memory, its rows inserted from Papa Parse's, in one transaction. */
import sqlite3InitModule from '@sqlite.org/sqlite-wasm'
import { deviation, median, toPeer, toSummand } from './engine.js'
import { parseCsv } from './parse-csv.js'

let database

/** What SQLite does not have: the questions need a median, a deviation and a correlation. */
const addAggregates = (sqlite3) => {
  const lists = new Map()
  const aggregate = (name, toValue) =>
    database.createFunction({
      name,
      arity: 1,
      xStep: (context, value) => {
        const at = sqlite3.capi.sqlite3_js_aggregate_context(context, 8)
        if (!lists.has(at)) lists.set(at, [])
        lists.get(at).push(value)
      },
      xFinal: (context) => {
        const at = sqlite3.capi.sqlite3_js_aggregate_context(context, 0)
        const values = lists.get(at) ?? []
        lists.delete(at)
        return toValue(values)
      }
    })
  aggregate('js_median', median)
  aggregate('js_stddev', deviation)
}

const CORRELATION = `pow(count(*) * sum(v1 * v2) - sum(v1) * sum(v2), 2) * 1.0 /
  nullif((count(*) * sum(v1 * v1) - sum(v1) * sum(v1)) * (count(*) * sum(v2 * v2) - sum(v2) * sum(v2)), 0)`

const toSqlite = ({ id, sql }) => {
  if (id === 'q9') return `SELECT id2, id4, ${CORRELATION} AS r2 FROM x GROUP BY id2, id4`
  return sql.replace('median(', 'js_median(').replace('stddev(', 'js_stddev(')
}

export const peer = toPeer({
  open: async () => {
    const sqlite3 = await sqlite3InitModule()
    database = new sqlite3.oo1.DB(':memory:')
    addAggregates(sqlite3)
  },
  read: async (tables, files) => {
    for (const [index, name] of tables.entries()) {
      const rows = await parseCsv(files[index])
      const columns = Object.keys(rows[0])
      database.exec(`CREATE TABLE ${name} (${columns.join(', ')})`)
      const insert = database.prepare(`INSERT INTO ${name} VALUES (${columns.map(() => '?').join(', ')})`)
      database.exec('BEGIN')
      for (const row of rows) insert.bind(Object.values(row)).stepReset()
      insert.finalize()
      database.exec('COMMIT')
    }
  },
  ask: async (question) => database.selectObjects(toSqlite(question)),
  look: async (rows, columns) => ({
    rows: rows.length,
    sum: rows.reduce((sum, row) => columns.reduce((all, name) => all + toSummand(row[name]), sum), 0)
  }),
  end: async () => database.close()
})
