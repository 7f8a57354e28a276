import type { Row } from '../ports.ts'
import type { RowChange } from '../rebuild-port.ts'
import { columnsOf, toBound, type Table } from '../sqlite/row-writing.ts'
import type { Bound } from '../sqlite/sqlite-database.ts'

export type BoundRow = Readonly<Record<string, Bound>>

/** Rows that have the same columns, so that one statement does for all of them. */
export type Group = { readonly names: readonly string[]; readonly rows: readonly BoundRow[] }

/**
 * Writes into one table that refuses no row, in the words of an engine. Rows of a group have different keys, each a
 * text in the one column of the primary key.
 */
export type LooseWriter = {
  /** Inserts rows, or sets the given columns of those that are there. */
  readonly upsert: (group: Group) => void
  /** Sets columns of the rows that are there. */
  readonly update: (group: Group) => void
  readonly remove: (keys: readonly string[]) => void
  /** Makes one change as it stands. */
  readonly alone: (change: RowChange) => void
}

/** What is to become of one row, known by its key: of several changes, what they come to. */
type Pending = { readonly op: 'upsert' | 'update'; readonly row: BoundRow } | { readonly op: 'remove' }

const groupsOf = (rows: readonly BoundRow[]): Group[] => {
  const groups = new Map<string, { names: readonly string[]; rows: BoundRow[] }>()
  for (const row of rows) {
    const names = Object.keys(row)
    const signature = names.join()
    const group = groups.get(signature)
    if (group === undefined) groups.set(signature, { names, rows: [row] })
    else group.rows.push(row)
  }
  return [...groups.values()]
}

/**
 * Applies changes to tables that refuse no row: without foreign keys, unique columns or triggers, rows of different
 * keys do not touch each other. So the changes of each row are put together first, and rows of the same columns are
 * written by one statement: the rows are those that the changes would leave one by one.
 */
export const applyLoosely = <T extends Table>(
  changes: readonly RowChange[],
  tableOf: (name: string) => T,
  writerFor: (table: T) => LooseWriter
): void => {
  const queues = new Map<string, ReturnType<typeof createQueue>>()
  for (const change of changes) {
    let queue = queues.get(change.table)
    if (queue === undefined) {
      const table = tableOf(change.table)
      queue = createQueue(table, writerFor(table))
      queues.set(change.table, queue)
    }
    queue.add(change)
  }
  for (const queue of queues.values()) queue.flush()
}

const createQueue = (table: Table, writer: LooseWriter) => {
  const [key] = table.primaryKey
  const pending = new Map<string, Pending>()

  const flush = (): void => {
    const upserts: BoundRow[] = []
    const updates: BoundRow[] = []
    const removed: string[] = []
    for (const [id, each] of pending) {
      if (each.op === 'remove') removed.push(id)
      else (each.op === 'upsert' ? upserts : updates).push(each.row)
    }
    pending.clear()
    for (const group of groupsOf(upserts)) writer.upsert(group)
    for (const group of groupsOf(updates)) writer.update(group)
    if (removed.length > 0) writer.remove(removed)
  }

  /** The key of the one row that a change is about, where it is about one: a text, as keys of read models are. */
  const keyOf = (row: Row): string | undefined => {
    if (key === undefined || table.primaryKey.length > 1) return undefined
    const value = row[key]
    return typeof value === 'string' ? value : undefined
  }

  const bound = (row: Row): BoundRow => {
    const values: Record<string, Bound> = {}
    for (const name of columnsOf(table, row)) values[name] = toBound(row[name], `${table.name}.${name}`)
    return values
  }

  /** Does it stand for itself, behind all that came before it? */
  const alone = (change: RowChange): void => {
    flush()
    writer.alone(change)
  }

  const merge = (id: string, op: 'upsert' | 'update', row: Row): void => {
    const before = pending.get(id)
    if (before?.op === 'remove' && op === 'update') return
    // A row that may not be there must first be looked for.
    if (before?.op === 'remove' || (before?.op === 'update' && op === 'upsert')) flush()
    const known = pending.get(id)
    if (known === undefined || known.op === 'remove') pending.set(id, { op, row: bound(row) })
    else pending.set(id, { op: known.op, row: { ...known.row, ...bound(row) } })
  }

  const add = (change: RowChange): void => {
    switch (change.op) {
      case 'upsert':
        for (const row of change.rows) {
          const id = keyOf(row)
          if (id === undefined) alone({ ...change, rows: [row] })
          else merge(id, 'upsert', row)
        }
        return
      case 'update': {
        const id = keyOf(change.where)
        const names = Object.keys(change.where)
        const isOfKey = id !== undefined && names.length === 1 && !Object.hasOwn(change.set, names[0] ?? '')
        if (!isOfKey) alone(change)
        else if (Object.keys(change.set).length > 0) merge(id, 'update', { ...change.where, ...change.set })
        return
      }
      case 'remove': {
        const id = keyOf(change.where)
        if (id === undefined || Object.keys(change.where).length > 1) alone(change)
        else pending.set(id, { op: 'remove' })
        return
      }
      case 'truncate':
        pending.clear()
        writer.alone(change)
    }
  }

  return { add, flush }
}
