import { FlowForgeError, type DbContext } from '../../db/ports.ts'
import type { GraphChange } from '../../workflow/change.ts'
import type { Pin, PinnedPort } from '../../workflow/pin.ts'
import { canBeLoaded } from '../engine/stored-relations.ts'
import { artifactById, isWhole } from './stored-artifacts.ts'

type Parts = Pick<DbContext, 'projectionStore' | 'blobStore'>

const refuse = (message: string, details: Record<string, unknown>): never => {
  throw new FlowForgeError('INVALID_INPUT', message, details)
}

/** Members in one order, so that what is equal has the same text. */
const textOf = ({ columns, layout, rows, bytes, sha256, blobKey }: Omit<PinnedPort, 'artifactId'>): string =>
  JSON.stringify([
    columns.map(({ name, type, engineType }) => [name, type, engineType]),
    layout.pieces.map((piece) => [piece.offset, piece.bytes, piece.rows]),
    [rows, bytes, sha256, blobKey]
  ])

const expectPort = async (parts: Parts, runId: string, port: string, pinned: PinnedPort): Promise<void> => {
  const { artifactId } = pinned
  const details = { artifactId, runId, port }
  const found = await artifactById(parts, artifactId)
  if (found?.run_id !== runId || found.kind !== 'table') {
    return refuse('The rows to be pinned are of no run here. Run to the node, and pin what it gave.', details)
  }
  const { columns, layout, rows, bytes, sha256, uri } = found
  if (columns === null || layout === undefined || !canBeLoaded(columns)) {
    const message = 'These rows cannot be pinned: a column of theirs cannot be kept and read again as it is.'
    return refuse(message, details)
  }
  const own = { columns, layout, rows: rows ?? 0, bytes, sha256, blobKey: uri }
  if (textOf(own) !== textOf(pinned)) {
    return refuse('The pin does not say what the run wrote: hash, columns or rows are others.', details)
  }
  if (!(await isWhole(parts.blobStore, found))) {
    const message = 'The rows to be pinned are gone or damaged. Run to the node again, and pin what it gives.'
    return refuse(message, details)
  }
}

const pinIn = (change: GraphChange): Pin | undefined => {
  if (change.type === 'set-pin') return change.pin
  return change.type === 'add-node' ? change.node.pin : undefined
}

/**
 * Are all rows that these changes pin here, as the pins say?
 * @throws FlowForgeError `INVALID_INPUT`
 */
export const expectPinnable = async (parts: Parts, changes: readonly GraphChange[]): Promise<void> => {
  for (const { runId, ports } of changes.flatMap((change) => pinIn(change) ?? [])) {
    for (const [port, pinned] of Object.entries(ports)) {
      // oxlint-disable-next-line no-await-in-loop -- one file at a time
      await expectPort(parts, runId, port, pinned)
    }
  }
}
