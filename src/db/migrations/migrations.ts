import schema from '../../../schema.sql?raw'
import logKeeping from './0004-log-keeping.sql?raw'

export type Migration = { readonly version: number; readonly name: string; readonly sql: string }

/** Every step from an empty file to the newest schema, in order. A released step never changes. */
export const MIGRATIONS: readonly Migration[] = [
  { version: 1, name: 'schema', sql: schema },
  { version: 4, name: 'log-keeping', sql: logKeeping }
]

/** The schema that this code knows. */
export const NEWEST_SCHEMA = MIGRATIONS.at(-1)?.version ?? 0
