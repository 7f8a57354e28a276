import type { BlobStorePort } from '../../db/ports.ts'
import { quoteName } from '../../workflow/sql-text.ts'
import type { Column } from '../../workflow/value-type.ts'
import { readPiece } from './arrow-file.ts'
import { openArtifact } from './artifact-blob.ts'
import type { StoredRelation } from './compute-engine.ts'
import type { Session } from './session.ts'

/**
 * Can rows of these columns be written as Arrow and be read again with nothing lost? Zoned times lose their zone on the
 * way, and inside of lists and structs a type that Arrow lacks is not turned to text.
 */
export const canBeLoaded = (columns: readonly Column[]): boolean =>
  columns.every(({ engineType }) => {
    if (/TIME ZONE|UNION\(|"NULL"/.test(engineType)) return false
    return (
      !/\]$|^(STRUCT|MAP)\(/.test(engineType) || !/HUGEINT|UUID|INTERVAL|BIT|ENUM|DECIMAL/.test(engineType)
    )
  })

let loads = 0

/** Makes a table of a relation's stored rows, in their order, under the relation's id; a piece at a time. */
export const fillFromStored = async (
  session: Session,
  blobStore: BlobStorePort,
  { id, columns }: { readonly id: string; readonly columns: readonly Column[] },
  { blobKey, layout }: StoredRelation
): Promise<void> => {
  const table = quoteName(id)
  const blob = await openArtifact(blobStore, blobKey)
  const list = columns.map(({ name, engineType }) => `${quoteName(name)} ${engineType}`).join(', ')
  const casts = columns.map(({ name, engineType }) => `CAST(${quoteName(name)} AS ${engineType})`).join(', ')
  await session.run(`CREATE TEMP TABLE ${table} (${list})`)
  loads += 1
  const name = `_stored_${loads}`
  for (const piece of layout.pieces) {
    if (piece.rows === 0) continue
    try {
      await session.insertArrow(await readPiece(blob, piece), { name, create: true })
      await session.run(`INSERT INTO ${table} SELECT ${casts} FROM ${quoteName(name)}`)
    } finally {
      await session.tidy(`DROP TABLE IF EXISTS ${quoteName(name)}`)
    }
  }
}
