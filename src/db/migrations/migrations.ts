import schema from '../../../schema.sql?raw'
import projections from './0002-projections.sql?raw'
import logKeeping from './0004-log-keeping.sql?raw'
import archive from './0005-archive.sql?raw'

export type Migration = { readonly version: number; readonly name: string; readonly sql: string }

/** Every step from an empty file to the newest schema, in order. A released step never changes. */
export const MIGRATIONS: readonly Migration[] = [
  { version: 1, name: 'schema', sql: schema },
  { version: 2, name: 'projections', sql: projections },
  { version: 4, name: 'log-keeping', sql: logKeeping },
  { version: 5, name: 'archive', sql: archive }
]

/** The schema that this code knows. */
export const NEWEST_SCHEMA = MIGRATIONS.at(-1)?.version ?? 0
