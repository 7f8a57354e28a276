/** What somebody who knows DuckDB-WASM would write for this one job. */
import { AsyncDuckDB, DuckDBDataProtocol, VoidLogger } from '@duckdb/duckdb-wasm'
import wasm from '@duckdb/duckdb-wasm/dist/duckdb-eh.wasm?url'
import worker from '@duckdb/duckdb-wasm/dist/duckdb-browser-eh.worker.js?url'

export const openDuckDB = async () => {
  const db = new AsyncDuckDB(new VoidLogger(), new Worker(worker))
  await db.instantiate(wasm)
  return db
}

export const keep = async (name, file) => {
  const root = await navigator.storage.getDirectory()
  const handle = await root.getFileHandle(name, { create: true })
  await file.stream().pipeTo(await handle.createWritable())
  return handle.getFile()
}

export const toCsv = (result) => {
  const lines = [result.schema.fields.map((field) => field.name).join(',')]
  for (const row of result.toArray()) lines.push(Object.values(row.toJSON()).join(','))
  return lines.join('\n')
}

/** Answers with the rows of the result and how long each part took, in ms. */
export const runByHand = async (db, big, small) => {
  const started = performance.now()
  const [bigFile, smallFile] = await Promise.all([keep('big.csv', big), keep('small.csv', small)])
  await db.registerFileHandle('big.csv', bigFile, DuckDBDataProtocol.BROWSER_FILEREADER, true)
  await db.registerFileHandle('small.csv', smallFile, DuckDBDataProtocol.BROWSER_FILEREADER, true)
  const connection = await db.connect()
  await connection.query(`CREATE OR REPLACE TEMP TABLE big AS SELECT * FROM read_csv('big.csv')`)
  await connection.query(`CREATE OR REPLACE TEMP TABLE small AS SELECT * FROM read_csv('small.csv')`)
  const imported = performance.now()
  const result = await connection.query(
    `SELECT id1, label, count(*) AS n, sum(v1) AS v1, avg(v3) AS v3 FROM big JOIN small ON big.id4 = small.key
     GROUP BY id1, label ORDER BY id1, label`
  )
  await keep('result.csv', new Blob([toCsv(result)]))
  const ended = performance.now()
  await connection.close()
  await db.dropFiles()
  return { rows: result.numRows, importMs: imported - started, runMs: ended - imported }
}
