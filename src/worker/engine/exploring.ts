import { FlowForgeError, toFlowForgeError, type BlobStorePort } from '../../db/ports.ts'
import type { Reading } from '../../workflow/explain/explain-cell.ts'
import { quoteName } from '../../workflow/sql-text.ts'
import { readPiece } from './arrow-file.ts'
import { openArtifact } from './artifact-blob.ts'
import type { ArrowLayout, ComputeEngine, StoredRow } from './compute-engine.ts'
import { fetchRows } from './pages.ts'
import { preparedSource, setParameters } from './plan-session.ts'
import { provideAnswers } from './service-answers.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'
import type { SourceTables } from './source-tables.ts'

type Parts = { readonly sessions: Sessions; readonly tables: SourceTables; readonly blobStore: BlobStorePort }

const toReading = (session: Session): Reading => ({
  run: session.run,
  count: async (sql) => Number((await session.rows(sql))[0]?.['count']),
  rows: (sql, columns) => fetchRows(session, sql, columns),
  failure: async (sql) => {
    try {
      for await (const batch of session.stream(sql)) void batch
      return null
    } catch (thrown) {
      const { code, details, message } = toFlowForgeError(thrown)
      if (code === 'INVALID_INPUT' && details['reason'] === 'query') return message
      throw thrown
    }
  }
})

const pieceWith = (
  { pieces }: ArrowLayout,
  row: number
): { readonly piece: ArrowLayout['pieces'][number]; readonly within: number } => {
  let before = 0
  for (const piece of pieces) {
    if (row < before + piece.rows) return { piece, within: row - before }
    before += piece.rows
  }
  throw new FlowForgeError('NOT_FOUND', `This result has ${before} rows; there is no row ${row + 1}.`, {
    row
  })
}

let asked = 0
const NEVER = new AbortController().signal

/** One row of an artifact as a table of the session. */
const provideRow = async (session: Session, blobStore: BlobStorePort, row: StoredRow): Promise<void> => {
  const { piece, within } = pieceWith(row.layout, row.at)
  const bytes = await readPiece(await openArtifact(blobStore, row.blobKey), piece)
  asked += 1
  const name = `_asked_${asked}`
  try {
    await session.insertArrow(bytes, { name, create: true })
    await session.run(
      `CREATE TEMP TABLE ${quoteName(row.table)} AS FROM ${quoteName(name)} LIMIT 1 OFFSET ${within}`
    )
  } finally {
    await session.tidy(`DROP TABLE IF EXISTS ${quoteName(name)}`)
  }
}

/** Lends a session in which a plan's sources stand with their rows numbered; see `ComputeEngine.explore`. */
export const explorePlan =
  ({ sessions, tables, blobStore }: Parts): ComputeEngine['explore'] =>
  ({ plan, sources, rowColumn, variables = {}, row, answers, signal }, ask) =>
    sessions.work({ signal }, async (place) => {
      const { session } = place
      await setParameters(session, { ...plan.parameters, ...variables })
      const provided = new Set<string>()
      for (const { id, source } of plan.relations) {
        if (source === null) continue
        const rows = await tables.relation(
          place,
          preparedSource(sources, source.dataSourceId, source.options)
        )
        const number = `row_number() OVER () - 1 AS ${quoteName(rowColumn)}`
        await session.run(`CREATE TEMP VIEW ${quoteName(id)} AS SELECT *, ${number} FROM ${rows}`)
        provided.add(id)
      }
      const all = new Set(plan.relations.map(({ id }) => id))
      await provideAnswers(session, plan, all, provided, answers, signal ?? NEVER)
      if (row !== undefined) await provideRow(session, blobStore, row)
      return ask(toReading(session), provided)
    })
