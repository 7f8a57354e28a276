import { FlowForgeError, toWireError } from '../flowforge-error.ts'
import type { Row } from '../ports.ts'
import type { FeedMessage, FromReplica, Question, ToReplica } from './messages.ts'
import type { ReplicaStore } from './replica-store.ts'

/** How many rows make a piece: the page can breathe between two. */
const PIECE_ROWS = 10_000
const encoder = new TextEncoder()

const toTagged = (value: unknown): unknown => {
  if (typeof value === 'bigint') return { integer: String(value) }
  if (!(value instanceof Uint8Array)) return value
  return { bytes: [...value].map((byte) => byte.toString(16).padStart(2, '0')).join('') }
}

const toPieces = (rows: readonly Row[]): Uint8Array<ArrayBuffer>[] => {
  const columns = Object.keys(rows[0] ?? {})
  return Array.from({ length: Math.ceil(rows.length / PIECE_ROWS) }, (_, at) => {
    const part = rows.slice(at * PIECE_ROWS, (at + 1) * PIECE_ROWS)
    const lines = part.map((row) => columns.map((column) => toTagged(row[column])))
    return new Uint8Array(encoder.encode(JSON.stringify({ columns, rows: lines })))
  })
}

/** Answers for a store, message by message, in the order in which they come. */
export const serveReplica = (
  open: () => Promise<ReplicaStore>,
  reply: (message: FromReplica, transfer?: Transferable[]) => void
): ((message: ToReplica) => void) => {
  let isExact = false
  const opening = open()

  const take = (store: ReplicaStore, message: FeedMessage): void => {
    switch (message.type) {
      case 'tables':
        store.create(message.tables, message.views)
        return
      case 'rows':
        store.copy(message.table, message.rows)
        return
      case 'copied':
        isExact = true
        break
      case 'changes':
        store.apply(message.changeset, isExact, message.newRows)
    }
    const position = store.position()
    if (isExact && position !== message.position) {
      const details = { expected: message.position, found: position }
      throw new FlowForgeError('CORRUPT', 'The replica is not where the log is.', details)
    }
    reply({ type: 'at', position, isBuilt: isExact })
  }

  const answer = (store: ReplicaStore, question: Question): void => {
    const { id } = question
    try {
      if (question.type === 'count') return reply({ type: 'counts', id, counts: store.counts() })
      const pieces = toPieces(store.read(question))
      reply(
        { type: 'answer', id, pieces },
        pieces.map(({ buffer }) => buffer)
      )
    } catch (thrown) {
      reply({ type: 'refusal', id, error: toWireError(thrown) })
    }
  }

  let last: Promise<void> = Promise.resolve()
  return (message) => {
    last = last.then(async () => {
      try {
        const store = await opening
        if (message.type === 'read' || message.type === 'count') answer(store, message)
        else take(store, message)
      } catch (thrown) {
        reply({ type: 'lost', error: toWireError(thrown) })
      }
    })
  }
}
