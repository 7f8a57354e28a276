import { afterEach, beforeEach, expect, test } from 'vitest'
import { openMemoryDatabase } from '../sqlite/open-database.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { migrate } from './migrate.ts'
import { MIGRATIONS, type Migration } from './migrations.ts'

const now = () => '2026-01-01T00:00:00.000Z'
const version = (MIGRATIONS.at(-1)?.version ?? 0) + 1
const next: Migration = { version, name: 'next', sql: 'CREATE TABLE next (id TEXT) STRICT' }

let database: SqliteDatabase
beforeEach(async () => {
  database = await openMemoryDatabase()
})
afterEach(() => {
  database.close()
})
const schema = () => database.allOnce('SELECT name, sql FROM sqlite_schema ORDER BY name')
const applied = () => database.allOnce('SELECT * FROM schema_migrations ORDER BY version')

test('an empty database gets every step, in order', async () => {
  expect(await migrate(database, [...MIGRATIONS, next], now)).toBe(version)
  expect(applied().map((row) => row['version'])).toEqual([...MIGRATIONS, next].map((step) => step.version))
  expect(schema().map((row) => row['name'])).toContain('next')
})

test('a database that is opened again is not migrated again', async () => {
  await migrate(database, MIGRATIONS, now)
  const before = [schema(), applied()]
  expect(await migrate(database, MIGRATIONS, () => 'later')).toBe(version - 1)
  expect([schema(), applied()]).toEqual(before)
})

test('a newer database is refused', async () => {
  await migrate(database, [...MIGRATIONS, next], now)
  const before = [schema(), applied()]
  await expect(migrate(database, MIGRATIONS, now)).rejects.toMatchObject({
    code: 'NOT_ALLOWED',
    details: { found: version, newest: version - 1 }
  })
  expect([schema(), applied()]).toEqual(before)
})

test('a step that is not the one that was applied is refused', async () => {
  await migrate(database, [...MIGRATIONS, next], now)
  const before = [schema(), applied()]
  const changed = [...MIGRATIONS, { ...next, sql: 'CREATE TABLE another (id TEXT) STRICT' }]
  await expect(migrate(database, changed, now)).rejects.toMatchObject({
    code: 'CORRUPT',
    details: { version }
  })
  expect([schema(), applied()]).toEqual(before)
})

test('a step that fails leaves the old schema, and the next attempt goes on from there', async () => {
  await migrate(database, MIGRATIONS, now)
  const before = [schema(), applied()]
  const failing = { ...next, sql: `${next.sql}; INSERT INTO nowhere VALUES (1)` }
  await expect(migrate(database, [...MIGRATIONS, failing], now)).rejects.toMatchObject({
    code: 'INVALID_INPUT'
  })
  expect([schema(), applied()]).toEqual(before)
  expect(await migrate(database, [...MIGRATIONS, next], now)).toBe(version)
})

test('a step whose failure rolls back by itself, as a full disk does, is told as that failure', async () => {
  const sql = `CREATE TABLE next (id TEXT UNIQUE ON CONFLICT ROLLBACK) STRICT; INSERT INTO next VALUES ('x'), ('x')`
  await migrate(database, MIGRATIONS, now)
  const before = [schema(), applied()]
  await expect(migrate(database, [...MIGRATIONS, { ...next, sql }], now)).rejects.toMatchObject({
    code: 'CONFLICT'
  })
  expect([schema(), applied()]).toEqual(before)
})
