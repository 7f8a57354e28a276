import type { BlobStorePort } from '../../db/ports.ts'
import { profileTable } from '../../workflow/profile/profile-table.ts'
import { quoteName } from '../../workflow/sql-text.ts'
import { readPiece } from './arrow-file.ts'
import { openArtifact } from './artifact-blob.ts'
import type { ComputeEngine } from './compute-engine.ts'
import type { Sessions } from './sessions.ts'
import type { SourceTables } from './source-tables.ts'

/** A result is looked at up to so many bytes of its pieces: as a table they are held in memory, beside whatever runs. */
const MOST_BYTES = 256 * 1024 * 1024

type Parts = { readonly sessions: Sessions; readonly tables: SourceTables; readonly blobStore: BlobStorePort }

let profiled = 0

/** Looks at a source's columns, all of its rows. */
export const profileSource =
  ({ sessions, tables }: Parts): ComputeEngine['profileSource'] =>
  ({ source }) =>
    sessions.work({}, async (place) => {
      const { columns, rows } = source
      const from = await tables.relation(place, source)
      return profileTable(place.session.rows, from, columns, { rows, total: rows })
    })

/** Looks at a result's columns, at its first pieces where all would be too many. */
export const profileArtifact =
  ({ sessions, blobStore }: Parts): ComputeEngine['profileArtifact'] =>
  ({ blobKey, layout, columns }) =>
    sessions.work({}, async ({ session }) => {
      const blob = await openArtifact(blobStore, blobKey)
      const total = layout.pieces.reduce((sum, piece) => sum + piece.rows, 0)
      profiled += 1
      const table = `_profiled_${profiled}`
      session.onClose(() => session.tidy(`DROP TABLE IF EXISTS ${quoteName(table)}`))
      let rows = 0
      let bytes = 0
      for (const [at, piece] of layout.pieces.entries()) {
        if (at > 0 && bytes + piece.bytes > MOST_BYTES) break
        await session.insertArrow(await readPiece(blob, piece), { name: table, create: at === 0 })
        rows += piece.rows
        bytes += piece.bytes
      }
      if (layout.pieces.length === 0) {
        const list = columns.map(({ name, engineType }) => `${quoteName(name)} ${engineType}`).join(', ')
        await session.run(`CREATE TABLE ${quoteName(table)} (${list})`)
      }
      return profileTable(session.rows, quoteName(table), columns, { rows, total })
    })
