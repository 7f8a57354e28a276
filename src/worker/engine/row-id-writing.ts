import type { BlobStorePort } from '../../db/ports.ts'
import { createRowIdWriter } from '../../workflow/row-ids/row-id-file.ts'
import { quoteName } from '../../workflow/sql-text.ts'
import type { Column } from '../../workflow/value-type.ts'
import { createCutting } from './arrow-cutting.ts'
import { toArrowQuery } from './duckdb-types.ts'
import type { Session } from './session.ts'

type Stored = Awaited<ReturnType<BlobStorePort['putStream']>>

/** Stores what is written to it bit by bit. */
const storeWriter = (store: (stream: ReadableStream<Uint8Array>) => Promise<Stored>) => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  const stored = store(readable)
  // Whoever writes is told, too.
  stored.catch(() => undefined)
  writer.closed.catch(() => undefined)
  return { writer, stored }
}

/** A schema and a batch of one row, as the engine gives them for these columns. */
const templateOf = async (
  session: Pick<Session, 'stream'>,
  columns: readonly Column[]
): Promise<readonly [Uint8Array, Uint8Array]> => {
  const list = columns.map(({ name, engineType }) => `CAST(NULL AS ${engineType}) AS ${quoteName(name)}`)
  const parts: Uint8Array[] = []
  for await (const part of session.stream(toArrowQuery(`SELECT ${list.join(', ')}`, columns)))
    parts.push(part)
  const [schema, batch] = parts
  if (schema === undefined || batch === undefined) throw new Error('The engine gave no row.')
  return [schema, batch]
}

/**
 * The answer of a query whose last columns are marks, as it is without them; the marks are stored beside it, a block of
 * rows at a time, and `stored` answers when that is done.
 */
export const streamWithoutMarks = async (
  session: Pick<Session, 'stream'>,
  {
    query,
    columns,
    marks
  }: { readonly query: string; readonly columns: readonly Column[]; readonly marks: number },
  store: (stream: ReadableStream<Uint8Array>) => Promise<Stored>
): Promise<{ readonly batches: AsyncGenerator<Uint8Array>; readonly stored: Promise<Stored> }> => {
  const [schema, template] = await templateOf(session, columns)
  const cut = createCutting(template, marks)
  const ids = createRowIdWriter(marks)
  const { writer, stored } = storeWriter(store)
  const batches = async function* (): AsyncGenerator<Uint8Array> {
    let isWhole = false
    const answer = session.stream(query)
    try {
      await answer.next()
      yield schema
      for await (const batch of answer) {
        const { bytes, rows, marks: numbers } = cut(batch)
        for (const block of ids.add(numbers, rows)) await writer.write(block)
        yield bytes
      }
      for (const part of ids.end()) await writer.write(part)
      await writer.close()
      isWhole = true
    } finally {
      await answer.return(undefined)
      if (!isWhole)
        await writer.abort(new Error('The rows were not written to their end.')).catch(() => undefined)
    }
  }
  return { batches: batches(), stored }
}
