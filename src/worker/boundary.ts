import { transferHandlers } from 'comlink'
import type { z } from 'zod'
import {
  FlowForgeError,
  fromReplicaPiece,
  fromWireError,
  toWireError,
  type DbApi,
  type Event,
  type ReplicaPieces,
  type Row,
  type WireDbApi,
  type WireError
} from './api.ts'

/**
 * Replaces Comlink's way of throwing across the boundary, which keeps the message alone: a `FlowForgeError` arrives
 * with its code and details. Both sides call this before anything else.
 */
export const keepErrorCodes = (): void => {
  const thrown = transferHandlers.get('throw')
  if (thrown === undefined) throw new Error('Comlink has no handler for what is thrown')
  transferHandlers.set('throw', {
    // Comlink marks what was thrown with a symbol that it does not export; its own test knows it.
    canHandle: (value): value is unknown => thrown.canHandle(value),
    serialize: (value): [WireError, Transferable[]] => [toWireError(valueOf(value)), []],
    deserialize: (wire: WireError): never => {
      throw fromWireError(wire)
    }
  })
}

const valueOf = (marked: unknown): unknown =>
  typeof marked === 'object' && marked !== null && 'value' in marked ? marked.value : marked

const decoder = new TextDecoder()

/** Events from the bytes that storage built of them. */
const toEvents = (bytes: Uint8Array): Event[] => JSON.parse(decoder.decode(bytes)) as Event[]

/** Rows from a replica's pieces; between two of them the page may do something else. */
const toRows = async (pieces: ReplicaPieces): Promise<Row[]> => {
  const rows: Row[] = []
  for (const piece of pieces) {
    for (const row of fromReplicaPiece(piece)) rows.push(row)
    // oxlint-disable-next-line no-await-in-loop -- the pause is what it is for
    if (pieces.length > 1) await new Promise((resolve) => setTimeout(resolve))
  }
  return rows
}

/** The page's side of the calls that answer with bytes: 10,000 events arrive in a fraction of the time that copying takes. */
export const fromWire = (wire: WireDbApi): Omit<DbApi, 'subscribe'> => ({
  ...wire,
  loadEvents: async (args) => toEvents(await wire.loadEvents(args)),
  readAll: async (args) => toEvents(await wire.readAll(args)),
  queryProjection: async (args) => {
    const answer = await wire.queryProjection(args)
    return 'pieces' in answer ? toRows(answer.pieces) : answer
  }
})

const sentence = (issue: z.core.$ZodIssue): string =>
  issue.path.length === 0 ? issue.message : `${issue.path.map(String).join('.')}: ${issue.message}`

/** Parses a call's argument. @throws FlowForgeError `INVALID_INPUT` with zod's issues */
export const parseInput = <S extends z.ZodType>(call: string, schema: S, input: unknown): z.output<S> => {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues
  throw new FlowForgeError('INVALID_INPUT', `${call}: ${issues.map(sentence).join('; ')}`, { issues })
}
