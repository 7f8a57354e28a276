/** SQLocal as its documentation has it: its own worker and OPFS VFS; it needs a page that is cross-origin isolated. */
import { SQLocal } from 'sqlocal'
import { CREATE, INSERT, LOAD, toEvent, toParams, typeOf } from '../event-table.js'

let client

export const peer = {
  open: async (directory, { isLive }) => {
    client = new SQLocal({ databasePath: `${directory}.sqlite3`, reactive: isLive })
    for (const sql of CREATE) await client.sql(sql)
    const { storageType } = await client.getDatabaseInfo()
    if (storageType !== 'opfs') throw new Error(`SQLocal fell back to ${storageType}`)
    const [{ version, journal, synchronous }] = await client.sql(
      `SELECT sqlite_version() AS version, (SELECT journal_mode FROM pragma_journal_mode) AS journal,
         (SELECT synchronous FROM pragma_synchronous) AS synchronous`
    )
    return `SQLite ${version}, journal_mode ${journal}, synchronous ${synchronous}`
  },
  append: async (event) => {
    const params = toParams(event)
    await client.sql(INSERT, ...params)
    return params[0]
  },
  appendMany: async (events) => {
    const statements = events.map((event) => ({ sql: INSERT, params: toParams(event) }))
    await client.batch(() => statements)
    return statements.map(({ params }) => params[0])
  },
  load: async (stream) => (await client.sql(LOAD, typeOf(stream), stream)).map(toEvent),
  count: async () => Number((await client.sql('SELECT count(*) AS count FROM events'))[0].count),
  follow: (stream, heard) => {
    client
      .reactiveQuery((sql) => sql(LOAD, typeOf(stream), stream))
      .subscribe((rows) => heard(rows.map(toEvent)))
  },
  close: () => client.destroy()
}
