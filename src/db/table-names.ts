import { FlowForgeError } from './flowforge-error.ts'

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/
/** Tables that only storage itself writes. */
const PROTECTED = new Set([
  'events',
  'snapshots',
  'projection_checkpoints',
  'projection_states',
  'projection_skips',
  'direct_writes',
  'schema_migrations',
  'blobs',
  'log_seals',
  'archive_segments',
  'archived_streams',
  'archived_events',
  'health_reports'
])

/** What the name of a copy ends with; see `sqlite/copies.ts`. */
const COPY = '__next'

export const copyOf = (table: string): string => `${table}${COPY}`
export const isCopy = (table: string): boolean => table.toLowerCase().endsWith(COPY)

/**
 * Lets a caller's table name through, whichever engine has the table.
 * @throws FlowForgeError `INVALID_INPUT` for what is no name, `NOT_ALLOWED` for a table that is storage's own
 */
export const checkCallersTable = (name: string): void => {
  if (!NAME.test(name))
    throw new FlowForgeError('INVALID_INPUT', `"${name}" is not a table's name.`, { table: name })
  if (PROTECTED.has(name.toLowerCase()) || isCopy(name) || name.toLowerCase().startsWith('sqlite_')) {
    throw new FlowForgeError('NOT_ALLOWED', `The table "${name}" is written by FlowForge alone.`, {
      table: name
    })
  }
}

export const quotedName = (name: string): string => `"${name.replaceAll('"', '""')}"`
