import type { PlannedSink } from '../../workflow/plan-types.ts'
import { toQuery } from '../../workflow/query.ts'
import { openArtifact } from './artifact-blob.ts'
import { toPieces } from './arrow-pieces.ts'
import type { ArrowLayout, WrittenArtifact, WrittenRowIds } from './compute-engine.ts'
import { toArrowQuery } from './duckdb-types.ts'
import { throwIfCanceled } from './engine-errors.ts'
import { MEDIA_TYPES } from './media-types.ts'
import { relationOf, StepFailure, type Execution } from './plan-under-way.ts'
import { streamWithoutMarks } from './row-id-writing.ts'
import { markedRows } from './row-ids.ts'
import { toFile } from './sink-files.ts'
import { createLosses } from './sink-losses.ts'
import { unit } from './step-unit.ts'

const PROGRESS_MS = 100

/** Bytes on their way to the blob store: a cancel stops them, and they count. */
const counted = ({ place, limits }: Execution): TransformStream<Uint8Array, Uint8Array> =>
  new TransformStream({
    transform: (chunk, controller) => {
      throwIfCanceled(place.signal)
      limits.wrote({ bytes: chunk.length })
      controller.enqueue(chunk)
    }
  })

/** A relation's rows, and beside them, where it is kept, which rows they came from: known when all have been read. */
const answerOf = async (
  run: Execution,
  relationId: string
): Promise<{
  readonly batches: AsyncGenerator<Uint8Array>
  readonly rowIds: () => Promise<WrittenRowIds | undefined>
}> => {
  const { parts, place, plan, tables, rowIds } = run
  const { columns } = relationOf(plan, relationId)
  const marked = await markedRows(run, relationId, columns)
  if (rowIds === undefined || marked === undefined) {
    const query = toArrowQuery(toQuery(plan, relationId, tables), columns)
    return { batches: place.session.stream(query), rowIds: async () => undefined }
  }
  const { query, marks } = marked
  const asked = { query, columns, marks: marks.length }
  const { batches, stored } = await streamWithoutMarks(place.session, asked, (stream) =>
    parts.blobStore.putStream({
      prefix: 'artifacts/',
      stream: stream.pipeThrough(counted(run)),
      contentType: 'application/octet-stream'
    })
  )
  return {
    batches,
    rowIds: async () => {
      const { key, sha256, size } = await stored
      const names = marks.map((mark) => mark.slice(rowIds.plan.prefix.length))
      return { blobKey: key, sha256, bytes: size, marks: names }
    }
  }
}

/** Streams a relation's rows into the blob store. */
export const writeTable = async (
  run: Execution,
  relationId: string,
  nodeId: string,
  isCheckpoint = false
): Promise<WrittenArtifact> => {
  const { parts, plan, listener, counts } = run
  const { columns } = relationOf(plan, relationId)
  let told = 0
  let before = 0
  const onRows = (rows: number): void => {
    if (!isCheckpoint) run.limits.wrote({ rows: rows - before })
    before = rows
    const now = performance.now()
    if (now - told < PROGRESS_MS) return
    told = now
    listener.stepProgressed(nodeId, rows)
  }
  const answer = await answerOf(run, relationId)
  const pieces = toPieces(answer.batches, onRows)
  const stored = await parts.blobStore.putStream({
    prefix: 'artifacts/',
    stream: pieces.stream.pipeThrough(counted(run)),
    contentType: 'application/vnd.apache.arrow.stream'
  })
  const rowIds = await answer.rowIds()
  const rows = pieces.rows()
  counts.set(relationId, rows)
  const artifact: WrittenArtifact = {
    nodeId,
    relation: relationId,
    isCheckpoint,
    kind: 'table',
    blobKey: stored.key,
    sha256: stored.sha256,
    format: 'arrow',
    columns,
    rows,
    bytes: stored.size,
    layout: pieces.layout(),
    fileName: null,
    ...(rowIds === undefined ? {} : { rowIds })
  }
  await listener.artifactWritten(artifact)
  return artifact
}

const writeFile = async (
  run: Execution,
  { format, fileName, nodeId, keepsFormulas }: PlannedSink,
  table: WrittenArtifact,
  layout: ArrowLayout
): Promise<number> => {
  const { parts, place, listener } = run
  const { columns, rows } = table
  const blob = await openArtifact(parts.blobStore, table.blobKey)
  throwIfCanceled(place.signal)
  const losses = createLosses()
  const wish = { format, keepsFormulas, losses, signal: place.signal }
  const file = await toFile({ blob, layout, columns }, wish)
  const stored = await parts.blobStore.putStream({
    prefix: 'artifacts/',
    stream: file.pipeThrough(counted(run)),
    contentType: MEDIA_TYPES[format]
  })
  await listener.artifactWritten({
    nodeId,
    relation: table.relation,
    kind: 'file',
    blobKey: stored.key,
    sha256: stored.sha256,
    format: format === 'ndjson' ? 'json' : format,
    columns,
    rows,
    bytes: stored.size,
    layout: null,
    fileName
  })
  for (const message of losses.messages()) await listener.log({ nodeId, level: 'warn', message })
  return stored.size
}

/** Writes a sink: its rows, and the file that is made of them. */
export const writeSink = async (run: Execution, sink: PlannedSink): Promise<void> => {
  await unit(run, [sink.relation], async () => {
    const table = await writeTable(run, sink.relation, sink.nodeId)
    if (table.layout === null) throw new Error('A table has a layout.')
    const bytes = await writeFile(run, sink, table, table.layout).catch((thrown: unknown) => {
      throwIfCanceled(run.place.signal)
      throw new StepFailure(sink.nodeId, thrown)
    })
    return { bytes, nodeId: sink.nodeId }
  })
}
