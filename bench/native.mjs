/** better-sqlite3 in this process: what the machine does without a browser. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import {
  CREATE,
  HEAD,
  INSERT,
  INSERT_MANY,
  LOAD,
  toEvent,
  toParams,
  toRows,
  typeOf
} from './pages/event-table.js'
import { benchFolder } from './setup.mjs'

export const openNative = (file) => {
  const Database = createRequire(join(benchFolder, 'package.json'))('better-sqlite3')
  const database = new Database(file)
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  for (const sql of CREATE) database.exec(sql)
  const [insert, insertMany, load, head] = [INSERT, INSERT_MANY, LOAD, HEAD].map((sql) =>
    database.prepare(sql)
  )
  // Named parameters of `?1` are given by their number.
  const numbered = (params) => Object.fromEntries(params.map((param, index) => [index + 1, param]))
  const peer = {
    append: async (event) => {
      const params = toParams(event)
      insert.run(numbered(params))
      return params[0]
    },
    appendMany: async (events) => {
      const rows = toRows(events, (stream) => head.get(typeOf(stream), stream).seq)
      insertMany.run(JSON.stringify(rows))
      return rows.map(([id]) => id)
    },
    load: async (stream) => load.all(typeOf(stream), stream).map(toEvent),
    count: async () => database.prepare('SELECT count(*) AS count FROM events').get().count
  }
  return {
    peer,
    version: `SQLite ${database.prepare('SELECT sqlite_version() AS v').get().v}`,
    close: () => database.close()
  }
}
