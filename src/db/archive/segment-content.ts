import { z } from 'zod'
import { EVENT_COLUMNS } from '../log/event-rows.ts'
import type { Row } from '../ports.ts'

/** Rows of `events`, every column as it stands there, in the order of their positions. */
export type SegmentContent = {
  readonly rows: readonly Row[]
  at(position: number): Row | undefined
  /** Of one stream, in its order; the rows of others are not looked at. */
  ofStream(aggregateId: string): readonly Row[]
}

const FORMAT = 'flowforge.segment/1'
const Header = z.strictObject({ format: z.literal(FORMAT), columns: z.array(z.string()) })
const Integer = z.number().int()
const EventLine = z.tuple([
  Integer,
  z.string(),
  z.string(),
  z.string(),
  z.string(),
  Integer,
  Integer,
  z.string(),
  z.string().nullable(),
  z.string(),
  z.string().nullable(),
  z.string()
])

const encoder = new TextEncoder()

export const sha256Of = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
  [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')

/** NDJSON: a line that names the columns, then a line an event. Rows in the order of their positions. */
export const toContentBytes = (rows: readonly Row[]): Uint8Array<ArrayBuffer> => {
  const lines = rows.map((row) => JSON.stringify(EVENT_COLUMNS.map((column) => row[column] ?? null)))
  const header = JSON.stringify({ format: FORMAT, columns: EVENT_COLUMNS })
  return encoder.encode(`${[header, ...lines].join('\n')}\n`)
}

const toRow = (line: string): Row => {
  const values = EventLine.parse(JSON.parse(line))
  return Object.fromEntries(EVENT_COLUMNS.map((column, index) => [column, values[index]]))
}

/** Knows rows, which must be in the order of their positions, by their positions and by their streams. */
const toContent = (rows: readonly Row[]): SegmentContent => {
  const positions = new Map(rows.map((row) => [Number(row['position']), row]))
  const streams = new Map<unknown, Row[]>()
  for (const row of rows) {
    const stream = streams.get(row['aggregate_id'])
    if (stream === undefined) streams.set(row['aggregate_id'], [row])
    else stream.push(row)
  }
  return {
    rows,
    at: (position) => positions.get(position),
    ofStream: (aggregateId) => streams.get(aggregateId) ?? []
  }
}

/** @throws Error for what is not of this format */
export const fromContentBytes = (bytes: Uint8Array): SegmentContent => {
  const [header = '', ...lines] = new TextDecoder('utf-8', { fatal: true }).decode(bytes).split('\n')
  Header.parse(JSON.parse(header))
  return toContent(lines.filter((line) => line !== '').map(toRow))
}

export const compressed = (bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> =>
  new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))

/** @throws TypeError for what is no whole gzip file */
export const decompressed = async (file: Blob): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await new Response(file.stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer())
