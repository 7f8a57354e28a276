// oxlint-disable no-restricted-imports -- a test's own engine: what the domain plans is run for real
import {
  createDuckDB,
  NODE_RUNTIME,
  VoidLogger,
  type DuckDBBindings,
  type DuckDBConnection
} from '@duckdb/duckdb-wasm/blocking'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Binder, Checked, Complaint, Shape } from '../binder.ts'
import { quoteName } from '../sql-text.ts'
import type { Column, ValueType } from '../value-type.ts'

/** The real engine, in Node; for tests. */
export type Engine = {
  readonly rows: (sql: string) => Record<string, unknown>[]
  /** The rows as the messages of an Arrow stream: the schema, then record batches. */
  readonly messages: (sql: string) => readonly Uint8Array[]
  readonly binder: Binder
}

const toValueType = (engineType: string): ValueType => {
  if (engineType === 'BOOLEAN') return 'boolean'
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(engineType)) return 'integer'
  if (engineType === 'DOUBLE' || engineType === 'FLOAT') return 'number'
  if (engineType.startsWith('DECIMAL')) return 'decimal'
  if (engineType === 'DATE') return 'date'
  if (engineType === 'TIME') return 'time'
  if (engineType.startsWith('TIMESTAMP')) return 'timestamp'
  if (engineType === 'BLOB') return 'bytes'
  return engineType === 'VARCHAR' ? 'text' : 'json'
}

const complaint = (thrown: unknown): Complaint => {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const unknown =
    /column "([^"]+)" not found/i.exec(message) ??
    /Column "([^"]+)" referenced .* does not exist/i.exec(message)
  return unknown?.[1] === undefined
    ? { ok: false, message }
    : { ok: false, message, unknownColumn: unknown[1] }
}

const empty = (columns: readonly Column[]): string =>
  `SELECT ${columns.map(({ name, engineType }) => `CAST(NULL AS ${engineType}) AS ${quoteName(name)}`).join(', ')} WHERE false`

const createBinder = (connection: DuckDBConnection): Binder => {
  const attempt = (run: () => void): Checked => {
    try {
      run()
      return { ok: true }
    } catch (thrown) {
      return complaint(thrown)
    }
  }
  const prepareOver = (sql: string, columns: readonly Column[]) => {
    connection.query(`CREATE OR REPLACE TEMP TABLE "_checked" AS ${empty(columns)}`)
    connection.prepare(sql).close()
  }
  return {
    describe: async (sql, over: readonly Shape[]) => {
      try {
        const shapes = over.map(({ name, columns }) => `${quoteName(name)} AS (${empty(columns)})`)
        const query =
          shapes.length === 0 ? sql : `WITH ${shapes.join(', ')} SELECT * FROM (${sql}) AS "_described"`
        const columns = connection
          .query(`DESCRIBE ${query}`)
          .toArray()
          .map((row): Column => {
            const { column_name: name, column_type: type } = row.toJSON()
            return { name: String(name), engineType: String(type), type: toValueType(String(type)) }
          })
        return { ok: true, columns }
      } catch (thrown) {
        return complaint(thrown)
      }
    },
    checkScalar: async (expression, columns) =>
      attempt(() => {
        prepareOver(`SELECT (\n${expression}\n) AS v FROM "_checked"`, columns)
        const list = columns.map(({ name, engineType }) => `${quoteName(name)} ${engineType}, `).join('')
        connection.query(
          `CREATE OR REPLACE TEMP TABLE "_generated" (${list}"_value" GENERATED ALWAYS AS (\n${expression}\n))`
        )
      }),
    checkAggregate: async (expression, columns) => {
      const checked = attempt(() => prepareOver(`SELECT (\n${expression}\n) AS v FROM "_checked"`, columns))
      if (!checked.ok) return checked
      const rows = connection.query(`SELECT (\n${expression}\n) AS v FROM "_checked"`).numRows
      return rows === 1
        ? checked
        : { ok: false, message: 'An aggregate gives one value for a group of rows.' }
    }
  }
}

const messagesOf = (bindings: DuckDBBindings, connection: number, sql: string): readonly Uint8Array[] => {
  let message = bindings.startPendingQuery(connection, sql, true)
  while (message === null) message = bindings.pollPendingQuery(connection)
  const messages: Uint8Array[] = []
  while (message !== null && message.length > 0) {
    messages.push(message)
    message = bindings.fetchQueryResults(connection)
  }
  return messages
}

/** Starts an engine of its own, without extensions and without files. */
export const startEngine = async (): Promise<Engine> => {
  const dist = dirname(createRequire(import.meta.url).resolve('@duckdb/duckdb-wasm/dist/duckdb-eh.wasm'))
  const bundle = (name: string) => ({ mainModule: join(dist, `duckdb-${name}.wasm`), mainWorker: '' })
  const database = await createDuckDB(
    { mvp: bundle('mvp'), eh: bundle('eh') },
    new VoidLogger(),
    NODE_RUNTIME
  )
  await database.instantiate(() => {})
  const connection = database.connect()
  connection.query('SET autoinstall_known_extensions=false')
  connection.query('SET autoload_known_extensions=false')
  return {
    binder: createBinder(connection),
    messages: (sql) => connection.useUnsafe((bindings, id) => messagesOf(bindings, id, sql)),
    rows: (sql) =>
      connection
        .query(sql)
        .toArray()
        .map((row) => ({ ...row.toJSON() }))
  }
}
