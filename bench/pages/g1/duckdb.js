/** DuckDB-WASM by hand: tables once, a query a question, its answer as Arrow in the origin's own file system. */
import { DuckDBDataProtocol } from '@duckdb/duckdb-wasm'
import { tableFromIPC } from 'apache-arrow'
import { openDuckDB } from '../duckdb-by-hand.js'
import { toPeer, toSummand } from './engine.js'

let db
let connection

const keep = async (bytes) => {
  const root = await navigator.storage.getDirectory()
  const handle = await root.getFileHandle('answer.arrow', { create: true })
  const writable = await handle.createWritable()
  await writable.write(bytes)
  await writable.close()
}

export const peer = toPeer({
  open: async () => {
    db = await openDuckDB()
    connection = await db.connect()
  },
  read: async (tables, files) => {
    for (const [index, name] of tables.entries()) {
      await db.registerFileHandle(`${name}.csv`, files[index], DuckDBDataProtocol.BROWSER_FILEREADER, true)
      await connection.query(`CREATE TABLE ${name} AS FROM read_csv('${name}.csv')`)
    }
  },
  ask: async ({ sql }) => {
    const bytes = await connection.useUnsafe((engine, id) => engine.runQuery(id, sql))
    await keep(bytes)
    return bytes
  },
  look: async (bytes, columns) => {
    const table = tableFromIPC(bytes)
    let sum = 0
    for (const name of columns) {
      const cast = table.getChild(name)
      for (const value of cast ?? []) sum += toSummand(value)
    }
    return { rows: table.numRows, sum }
  },
  end: () => db.terminate()
})
