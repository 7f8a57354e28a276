/** Copies of the database that answer heavy reads, so that the one that writes is left alone. */
export const REPLICA_KINDS = ['plain', 'analytics'] as const

/** `plain` is SQLite in memory, `analytics` is DuckDB in memory; each speaks its engine's SQL. */
export type ReplicaKind = (typeof REPLICA_KINDS)[number]

export type ReplicaStatus = {
  readonly replica: ReplicaKind
  /** `off` until the first question, and again after a failure: the next question builds it anew. */
  readonly state: 'off' | 'building' | 'following'
  /** How many positions of the log it has not told to have. */
  readonly behind: number
}

/** One answer's rows in pieces: each is the UTF-8 JSON of `{ columns, rows }`; see `fromReplicaPieces`. */
export type ReplicaPieces = readonly Uint8Array<ArrayBuffer>[]

export interface ReplicaPort {
  /**
   * Runs one read-only statement on a replica, which is started first where it is off. All that was committed before
   * the call is seen.
   * @param minPosition what the log must have reached; waited for, as part of `timeoutMs` (default 30,000)
   * @throws FlowForgeError as `ProjectionStorePort.read`; `WORKER_LOST` where the replica was dropped meanwhile
   */
  read(args: {
    replica: ReplicaKind
    sql: string
    params?: readonly unknown[] | undefined
    minPosition?: number | undefined
    timeoutMs?: number | undefined
  }): Promise<ReplicaPieces>
  /** Drops it and builds it anew. Answers when it follows again. */
  rebuild(args: { replica: ReplicaKind }): Promise<void>
  /** Compares it with the database, table by table; answers whether it was the same. One that is not is dropped. */
  check(args: { replica: ReplicaKind }): Promise<boolean>
  status(): readonly ReplicaStatus[]
}

const decoder = new TextDecoder()

/** What JSON has no word for travels as an object, which no SQL value is. */
const fromTagged = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if ('integer' in value) return BigInt(String(value.integer))
  const hex = 'bytes' in value ? String(value.bytes) : ''
  return Uint8Array.from({ length: hex.length / 2 }, (_, at) =>
    Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16)
  )
}

/** Rows of one piece. */
export const fromReplicaPiece = (piece: Uint8Array): Record<string, unknown>[] => {
  const { columns, rows } = JSON.parse(decoder.decode(piece)) as { columns: string[]; rows: unknown[][] }
  return rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, fromTagged(row[at])])))
}
