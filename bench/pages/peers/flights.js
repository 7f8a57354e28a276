/** Flights and airports by hand with DuckDB-WASM; its own reader of Parquet is not in its package, so parquet-wasm reads. */
import { DuckDBDataProtocol } from '@duckdb/duckdb-wasm'
import initParquet, { readParquet } from 'parquet-wasm/esm'
import parquetWasm from 'parquet-wasm/esm/parquet_wasm_bg.wasm?url'
import { keep, openDuckDB, toCsv } from '../duckdb-by-hand.js'

let db
let connection

export const peer = {
  open: async () => {
    await initParquet(parquetWasm)
    db = await openDuckDB()
    connection = await db.connect()
  },
  /** In ms. */
  load: async () => {
    const [flights, airports] = document.querySelector('#files').files
    const started = performance.now()
    const [flightsFile, airportsFile] = await Promise.all([
      keep('flights.parquet', flights),
      keep('airports.csv', airports)
    ])
    const table = readParquet(new Uint8Array(await flightsFile.arrayBuffer()))
    await connection.query('DROP TABLE IF EXISTS flights')
    await connection.insertArrowFromIPCStream(table.intoIPCStream(), { name: 'flights', create: true })
    await db.registerFileHandle('airports.csv', airportsFile, DuckDBDataProtocol.BROWSER_FILEREADER, true)
    await connection.query(`CREATE OR REPLACE TABLE airports AS FROM read_csv('airports.csv')`)
    await db.dropFile('airports.csv')
    return performance.now() - started
  },
  ask: async (sql) => {
    const started = performance.now()
    const result = await connection.query(sql)
    await keep('result.csv', new Blob([toCsv(result)]))
    const ms = performance.now() - started
    const sum = (name) => result.toArray().reduce((total, row) => total + Number(row[name]), 0)
    return { ms, rows: result.numRows, flights: sum('flights'), delay: sum('delay') }
  }
}
