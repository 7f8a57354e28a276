import type { Migration } from '../migrations/migrations.ts'
import { openSqliteDatabase, type SqliteDatabase } from '../sqlite/sqlite-database.ts'

/** What a schema is made of: `table events` → its text, without what a rename or a formatter changes. */
export type SchemaObjects = ReadonlyMap<string, string>

const plain = (sql: string): string =>
  sql
    .replaceAll(/--[^\n]*/g, ' ')
    .replaceAll('"', '')
    .replaceAll(/\s+/g, ' ')
    .trim()

/** Objects that SQLite makes by itself are left out. */
export const schemaOf = (database: SqliteDatabase): SchemaObjects =>
  new Map(
    database
      .allOnce(`SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`)
      .map((row) => [`${String(row['type'])} ${String(row['name'])}`, plain(String(row['sql']))])
  )

/** The schema that the steps up to a version make. */
export const knownSchema = (
  { sqlite3 }: SqliteDatabase,
  migrations: readonly Migration[],
  version: number,
  more: readonly string[] = []
): SchemaObjects => {
  const fresh = openSqliteDatabase(sqlite3, new sqlite3.oo1.DB(':memory:'))
  try {
    for (const step of migrations) if (step.version <= version) fresh.script(step.sql)
    for (const script of more) fresh.script(script)
    return schemaOf(fresh)
  } finally {
    fresh.close()
  }
}
