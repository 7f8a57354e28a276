import { FlowForgeError, type BlobStorePort } from '../../db/ports.ts'
import { quoteName } from '../../workflow/sql-text.ts'
import type { Column } from '../../workflow/value-type.ts'
import { arrowPieces } from './arrow-file.ts'
import type { PreparedSource } from './compute-engine.ts'
import { csvComplaint } from './csv-errors.ts'
import { LONGEST_LINE_BYTES, readCsv, USUAL_LINE_BYTES } from './csv-dialect.ts'
import type { DuckDBInstance } from './duckdb-instance.ts'
import type { Session } from './session.ts'
import type { Workplace } from './sessions.ts'

/** What is read: a prepared source, whose rows have been counted, or one that is being prepared. */
export type Scannable = Pick<PreparedSource, 'reader' | 'blobKey' | 'columns'> & { readonly rows?: number }

/**
 * Sources as tables of the engine, filled once and used by imports, previews and runs alike: a file that was just
 * imported is looked at next. Only a memory of what the blob store holds; gone with the engine's worker.
 */
export type SourceTables = {
  /** A name for a query's FROM, valid in the place's session. */
  relation(place: Workplace, source: Scannable): Promise<string>
}

/** Bytes of files that are kept as tables; what is larger is scanned where it lies. */
const KEPT_BYTES = 256 * 1024 * 1024

type Kept = {
  readonly name: string
  bytes: number
  filled: Promise<void>
  lastUse: number
  /** Sessions that read it now. */
  readers: number
}

/** Whether what `SourceTables.relation` answers with is a table of the engine's own, and not a scan of a file. */
export const isTable = (relation: string): boolean => relation.startsWith('"')

/** The number, from 0, of a row of what `SourceTables.relation` answers with: a table is filled in the file's order. */
export const rowNumberIn = (relation: string): string =>
  isTable(relation) ? 'rowid' : 'row_number() OVER () - 1'

export const openSourceBlob = async (blobStore: BlobStorePort, key: string): Promise<Blob> => {
  const blob = await blobStore.open({ key })
  if (blob !== null) return blob
  throw new FlowForgeError('NOT_FOUND', 'The stored file of this data source is gone. Import it again.', {
    key
  })
}

/** Runs a CSV scan; a line longer than usual is given room and tried again. */
export const withLongLines = async <T>(scan: (lineBytes: number) => Promise<T>): Promise<T> => {
  let lineBytes = USUAL_LINE_BYTES
  for (;;) {
    try {
      return await scan(lineBytes)
    } catch (thrown) {
      const complaint = csvComplaint(thrown)
      if (complaint.kind !== 'line-too-long' || lineBytes >= LONGEST_LINE_BYTES) throw thrown
      lineBytes = Math.min(LONGEST_LINE_BYTES, Math.max(4 * lineBytes, 2 * complaint.bytes))
    }
  }
}

const castList = (columns: readonly Column[]): string =>
  columns
    .map(({ name, engineType }) => `CAST(${quoteName(name)} AS ${engineType}) AS ${quoteName(name)}`)
    .join(', ')

const columnList = (columns: readonly Column[]): string =>
  columns.map(({ name, engineType }) => `${quoteName(name)} ${engineType}`).join(', ')

/** For sources that were imported before the length of their lines was kept. */
const UNKNOWN_LINE_BYTES = 16 * USUAL_LINE_BYTES

/** Whether a CSV file is scanned where it lies: as a table it would not leave room for anything else. */
export const isScannedInPlace = (blob: Blob): boolean => blob.size > KEPT_BYTES

let names = 0
const freshName = (): string => {
  names += 1
  return `_source_${names}`
}

const fillFromCsv = async (session: Session, table: string, blob: Blob, source: Scannable): Promise<void> => {
  const { reader, columns } = source
  if (reader.type !== 'csv') return
  const path = await session.registerFile(blob)
  await withLongLines((lineBytes) =>
    session.run(
      `CREATE TABLE ${quoteName(table)} AS FROM ${readCsv(path, reader.dialect, columns, { lineBytes })}`
    )
  )
}

const fillFromArrow = async (
  session: Session,
  table: string,
  blob: Blob,
  source: Scannable
): Promise<void> => {
  const { columns } = source
  await session.run(`CREATE TABLE ${quoteName(table)} (${columnList(columns)})`)
  for await (const piece of arrowPieces(blob)) {
    const name = `${table}_piece`
    try {
      await session.insertArrow(piece, { name, create: true })
      await session.run(`INSERT INTO ${quoteName(table)} SELECT ${castList(columns)} FROM ${quoteName(name)}`)
    } finally {
      await session.tidy(`DROP TABLE IF EXISTS ${quoteName(name)}`)
    }
  }
}

const fill = async (session: Session, table: string, blob: Blob, source: Scannable): Promise<void> => {
  try {
    await (source.reader.type === 'csv' ? fillFromCsv : fillFromArrow)(session, table, blob, source)
  } catch (thrown) {
    await session.tidy(`DROP TABLE IF EXISTS ${quoteName(table)}`)
    throw thrown
  }
}

const keyOf = ({ reader, blobKey, columns }: Scannable): string => JSON.stringify([blobKey, reader, columns])

export const createSourceTables = (blobStore: BlobStorePort): SourceTables => {
  const keptBy = new WeakMap<DuckDBInstance, Map<string, Kept>>()
  let uses = 0

  const makeRoom = async (session: Session, kept: Map<string, Kept>, bytes: number): Promise<void> => {
    const total = (): number => [...kept.values()].reduce((sum, table) => sum + table.bytes, bytes)
    const oldest = (): [string, Kept] | undefined =>
      [...kept]
        .filter(([, { readers }]) => readers === 0)
        .toSorted(([, a], [, b]) => a.lastUse - b.lastUse)[0]
    for (let first = oldest(); first !== undefined && total() > KEPT_BYTES; first = oldest()) {
      kept.delete(first[0])
      await session.tidy(`DROP TABLE IF EXISTS ${quoteName(first[1].name)}`)
    }
  }

  /** A table that stays, filled by whoever comes first; its readers are one more. */
  const keep = async (place: Workplace, kept: Map<string, Kept>, source: Scannable): Promise<Kept> => {
    const key = keyOf(source)
    const known = kept.get(key)
    if (known !== undefined) {
      known.readers += 1
      try {
        await known.filled
        return known
      } catch {
        // Whoever filled it was canceled or failed, and was told so; this one tries for itself.
        return keep(place, kept, source)
      }
    }
    const name = freshName()
    const table: Kept = { name, bytes: 0, filled: Promise.resolve(), lastUse: 0, readers: 1 }
    const make = async (): Promise<void> => {
      const blob = await openSourceBlob(blobStore, source.blobKey)
      await makeRoom(place.session, kept, blob.size)
      table.bytes = blob.size
      await fill(place.session, name, blob, source)
    }
    const filled = make()
    table.filled = filled
    kept.set(key, table)
    try {
      await filled
      return table
    } catch (thrown) {
      kept.delete(key)
      throw thrown
    }
  }

  return {
    relation: async (place, source) => {
      const { session, instance } = place
      const kept = keptBy.get(instance) ?? new Map<string, Kept>()
      keptBy.set(instance, kept)
      // Where its table is kept, nothing of the file is needed.
      if (!kept.has(keyOf(source))) {
        const blob = await openSourceBlob(blobStore, source.blobKey)
        if (isScannedInPlace(blob) && source.reader.type === 'csv') {
          const path = await session.registerFile(blob)
          const { dialect, lineBytes = UNKNOWN_LINE_BYTES } = source.reader
          return readCsv(path, dialect, source.columns, { lineBytes, isWeighed: source.rows !== undefined })
        }
        if (isScannedInPlace(blob)) {
          const name = freshName()
          session.onClose(() => session.tidy(`DROP TABLE IF EXISTS ${quoteName(name)}`))
          await fill(session, name, blob, source)
          return quoteName(name)
        }
      }
      const table = await keep(place, kept, source)
      uses += 1
      table.lastUse = uses
      session.onClose(async () => {
        table.readers -= 1
      })
      return quoteName(table.name)
    }
  }
}
