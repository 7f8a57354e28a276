/** wa-sqlite on its AccessHandlePoolVFS, with the pragmas of the raw engine. */
import { expose } from 'comlink'
import * as SQLite from 'wa-sqlite'
import createModule from 'wa-sqlite/dist/wa-sqlite.mjs'
import { AccessHandlePoolVFS } from 'wa-sqlite/src/examples/AccessHandlePoolVFS.js'
import { CREATE, HEAD, INSERT, INSERT_MANY, LOAD, toEvent, toParams, toRows, typeOf } from '../event-table.js'

let sqlite3
let database
let vfs
const statements = new Map()
const changed = new Set()

const statementFor = async (sql) => {
  const known = statements.get(sql)
  if (known !== undefined) return known
  const { stmt } = await sqlite3.prepare_v2(database, sqlite3.str_value(sqlite3.str_new(database, sql)))
  statements.set(sql, stmt)
  return stmt
}

const all = async (sql, params = []) => {
  const statement = await statementFor(sql)
  sqlite3.bind_collection(statement, params)
  const columns = sqlite3.column_names(statement)
  const rows = []
  try {
    while ((await sqlite3.step(statement)) === SQLite.SQLITE_ROW) {
      const values = sqlite3.row(statement)
      rows.push(Object.fromEntries(columns.map((column, index) => [column, values[index]])))
    }
  } finally {
    await sqlite3.reset(statement)
  }
  return rows
}

/** Its calls are asynchronous: whatever uses a statement does so after those before it. */
let last = Promise.resolve()
const inTurn = (work) => {
  const done = last.then(work)
  last = done.catch(() => undefined)
  return done
}

const tell = () => {
  for (const listener of changed) void listener()
}

expose({
  open: async (directory) => {
    sqlite3 = SQLite.Factory(await createModule())
    vfs = new AccessHandlePoolVFS(`/${directory}`)
    await vfs.isReady
    sqlite3.vfs_register(vfs, true)
    database = await sqlite3.open_v2('events.db')
    for (const pragma of ['locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = FULL'])
      await sqlite3.exec(database, `PRAGMA ${pragma}`)
    for (const sql of CREATE) await sqlite3.exec(database, sql)
    const [{ journal_mode: journal }] = await all('PRAGMA journal_mode')
    const [{ synchronous }] = await all('PRAGMA synchronous')
    return `SQLite ${sqlite3.libversion()}, journal_mode ${journal}, synchronous ${synchronous}`
  },
  append: (event) =>
    inTurn(async () => {
      const params = toParams(event)
      await all(INSERT, params)
      tell()
      return params[0]
    }),
  appendMany: (events) =>
    inTurn(async () => {
      const heads = new Map()
      for (const stream of new Set(events.map(({ aggregateId }) => aggregateId)))
        heads.set(stream, (await all(HEAD, [typeOf(stream), stream]))[0].seq)
      const rows = toRows(events, (stream) => heads.get(stream))
      await all(INSERT_MANY, [JSON.stringify(rows)])
      tell()
      return rows.map(([id]) => id)
    }),
  load: (stream) => inTurn(async () => (await all(LOAD, [typeOf(stream), stream])).map(toEvent)),
  count: () => inTurn(async () => (await all('SELECT count(*) AS count FROM events'))[0].count),
  onChange: (listener) => changed.add(listener) && undefined,
  close: () =>
    inTurn(async () => {
      for (const statement of statements.values()) await sqlite3.finalize(statement)
      await sqlite3.close(database)
      await vfs.close()
    })
})
