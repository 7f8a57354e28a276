import type { DbContext } from '../../db/ports.ts'
import type { ComputeEngine } from '../engine/compute-engine.ts'
import { throwIfCanceled } from '../engine/engine-errors.ts'
import { artifactsOfRun, isWhole, type StoredArtifact } from './stored-artifacts.ts'

/** Where two runs differ first. Values are shown to a person and stored nowhere. */
export type Difference = {
  readonly nodeId: string
  readonly what: 'missing' | 'damaged' | 'columns' | 'rows' | 'cell' | 'file'
  /** Counted from 1. */
  readonly row: number | null
  readonly column: string | null
  readonly before: unknown
  readonly after: unknown
}

export type Comparison = {
  readonly same: boolean
  readonly compared: number
  readonly difference: Difference | null
}

type Parts = {
  readonly context: Pick<DbContext, 'projectionStore' | 'blobStore'>
  readonly engine: Pick<ComputeEngine, 'readArtifact'>
  readonly signal?: AbortSignal
}

const PAGE_ROWS = 2_000

/** A value as text that tells values apart: no digit of an integer is lost, and -0 is not 0. */
const tell = (value: unknown): string =>
  Object.is(value, -0)
    ? '-0'
    : (JSON.stringify(value, (_, inner: unknown) =>
        typeof inner === 'bigint' || typeof inner === 'number' ? `${typeof inner} ${inner}` : inner
      ) ?? 'undefined')

const at = (
  nodeId: string,
  what: Difference['what'],
  rest: Partial<Omit<Difference, 'nodeId' | 'what'>> = {}
): Difference => ({ nodeId, what, row: null, column: null, before: null, after: null, ...rest })

const columnsOf = ({ columns }: StoredArtifact): string =>
  JSON.stringify((columns ?? []).map(({ name, engineType }) => [name, engineType]))

/** The first cell in which two tables differ that have the same columns; null where only their encoding does. */
const differingCell = async (
  { engine, signal }: Parts,
  nodeId: string,
  before: StoredArtifact,
  after: StoredArtifact
): Promise<Difference | null> => {
  const read = (artifact: StoredArtifact, offset: number) =>
    engine.readArtifact({
      blobKey: artifact.uri,
      layout: artifact.layout ?? { pieces: [] },
      columns: artifact.columns ?? [],
      offset,
      limit: PAGE_ROWS
    })
  const total = Math.min(before.rows ?? 0, after.rows ?? 0)
  for (let offset = 0; offset < total; offset += PAGE_ROWS) {
    throwIfCanceled(signal)
    // oxlint-disable-next-line no-await-in-loop -- a page at a time, so that no table is held in memory
    const [left, right] = [await read(before, offset), await read(after, offset)]
    for (const [index, row] of left.rows.entries()) {
      const other = right.rows[index] ?? {}
      const column = left.columns.find(({ name }) => tell(row[name]) !== tell(other[name]))?.name
      if (column !== undefined) {
        return at(nodeId, 'cell', {
          row: offset + index + 1,
          column,
          before: row[column],
          after: other[column]
        })
      }
    }
  }
  return before.rows === after.rows
    ? null
    : at(nodeId, 'rows', { row: total + 1, before: before.rows, after: after.rows })
}

const differenceBetween = async (
  parts: Parts,
  nodeId: string,
  before: StoredArtifact,
  after: StoredArtifact
): Promise<Difference | null> => {
  if (!(await isWhole(parts.context.blobStore, before, parts.signal))) return at(nodeId, 'damaged')
  if (before.sha256 === after.sha256) return null
  if (before.kind === 'file') return at(nodeId, 'file', { before: before.sha256, after: after.sha256 })
  if (columnsOf(before) !== columnsOf(after)) {
    return at(nodeId, 'columns', { before: columnsOf(before), after: columnsOf(after) })
  }
  return (await differingCell(parts, nodeId, before, after)) ?? at(nodeId, 'file')
}

/** Formats whose files hold the time at which they were written: their rows are compared, their bytes are not. */
const isTimed = ({ kind, format }: StoredArtifact): boolean => kind === 'file' && format === 'xlsx'

/**
 * Compares what two runs wrote, artifact by artifact, in the order in which the first wrote them: by hash, and where the
 * hashes differ by cell. The first run's bytes are hashed again, so that damage to them is found, too.
 */
export const compareRuns = async (
  parts: Parts,
  beforeRunId: string,
  afterRunId: string
): Promise<Comparison> => {
  const results = (artifacts: readonly StoredArtifact[]) =>
    artifacts.filter((artifact) => artifact.role === 'result' && !isTimed(artifact))
  const before = results(await artifactsOfRun(parts.context, beforeRunId))
  const after = results(await artifactsOfRun(parts.context, afterRunId))
  // Tables first: where a file differs because its rows do, the cell is named.
  const ordered = before.toSorted((a, b) => Number(a.kind === 'file') - Number(b.kind === 'file'))
  for (const artifact of ordered) {
    const { nodeId, kind, port } = artifact
    if (nodeId === null) continue
    const other = after.find((each) => each.nodeId === nodeId && each.kind === kind && each.port === port)
    const difference =
      other === undefined
        ? at(nodeId, 'missing')
        : // oxlint-disable-next-line no-await-in-loop -- the first difference ends it
          await differenceBetween(parts, nodeId, artifact, other)
    if (difference !== null) return { same: false, compared: before.length, difference }
  }
  return { same: true, compared: before.length, difference: null }
}

/** Where it differs, in words and without values: these must not stand in the log. */
export const differenceWords = (
  { nodeId, what, row, column }: Difference,
  nameOf: (nodeId: string) => string
): string => {
  const name = nameOf(nodeId)
  switch (what) {
    case 'missing':
      return `${name} wrote nothing this time.`
    case 'damaged':
      return `The stored result of ${name} is damaged or gone, so that it cannot be compared.`
    case 'columns':
      return `${name} has other columns.`
    case 'rows':
      return `${name} has another number of rows; up to row ${(row ?? 1) - 1} they are the same.`
    case 'cell':
      return `The first difference is at ${name}, row ${(row ?? 0).toLocaleString('en')}, column ${column ?? ''}.`
    case 'file':
      return `The rows of ${name} are the same, but the bytes that hold them are not.`
  }
}
