import type { Plan } from '../plan-types.ts'
import { toQuery } from '../query.ts'
import { quoteName } from '../sql-text.ts'
import type { Carried, Link } from './carried.ts'

/** Runs statements in one session of the engine, one after the other; the session's tables go when it ends. */
export type Asking = {
  readonly run: (sql: string) => Promise<void>
  readonly count: (sql: string) => Promise<number>
}

/** Rows of relations that belong together, each relation's as a table of the session. */
export type Followed = {
  /** The table with the rows of a relation; undefined where none were looked for. */
  readonly table: (relation: string) => string | undefined
  readonly count: (relation: string) => number
}

const tableName = (relation: string): string => `_followed ${relation}`

/** True where a row of a relation comes, by a link, from a row of its input. */
export const linkedSql = ({ pairs }: Link, row: string, from: string): string =>
  pairs.length === 0
    ? 'true'
    : pairs
        .map(
          (pair) =>
            `${row}.${quoteName(pair.of)} IS NOT DISTINCT FROM ${pair.from === null ? 'NULL' : `${from}.${quoteName(pair.from)}`}`
        )
        .join(' AND ')

type Parts = {
  readonly asking: Asking
  readonly plan: Plan
  readonly carried: Carried
  readonly sources: ReadonlySet<string>
}

const createFollowed = ({ asking, plan, sources }: Parts) => {
  const counts = new Map<string, number>()
  const keep = async (relation: string, where: (rows: string) => string): Promise<number> => {
    const name = quoteName(tableName(relation))
    await asking.run(
      `CREATE OR REPLACE TEMP TABLE ${name} AS ${where(`(${toQuery(plan, relation, sources)})`)}`
    )
    const count = await asking.count(`SELECT count(*)::DOUBLE AS "count" FROM ${name}`)
    counts.set(relation, count)
    return count
  }
  const followed: Followed = {
    table: (relation) => (counts.has(relation) ? tableName(relation) : undefined),
    count: (relation) => counts.get(relation) ?? 0
  }
  return { keep, followed, counts }
}

/**
 * From some rows of a relation back to the rows of every relation before it that they come from. `start` makes of a
 * query in brackets one for the rows that are asked about.
 */
export const followBack = async (
  parts: Parts,
  relation: string,
  start: (rows: string) => string
): Promise<Followed> => {
  const { plan, carried } = parts
  const { keep, followed, counts } = createFollowed(parts)
  await keep(relation, start)
  const readers = (input: string): readonly (readonly [string, Link])[] =>
    [...carried.links].flatMap(([reader, links]) =>
      links.flatMap((link) =>
        link.input === input && followed.count(reader) > 0 ? [[reader, link] as const] : []
      )
    )
  for (const { id } of plan.relations.toReversed()) {
    const reading = counts.has(id) ? [] : readers(id)
    if (reading.length === 0) continue
    const found = reading.map(
      ([reader, link]) =>
        `EXISTS (SELECT 1 FROM ${quoteName(tableName(reader))} AS "_reader" WHERE ${linkedSql(link, '"_reader"', '"_row"')})`
    )
    // oxlint-disable-next-line no-await-in-loop -- each needs those that read it
    await keep(id, (rows) => `SELECT * FROM ${rows} AS "_row" WHERE ${found.join(' OR ')}`)
  }
  return followed
}

/**
 * From some rows of sources on to the rows of every relation that come from them, and for which `also` is true where it
 * says something of the relation's `"_row"`. Where nobody can say, none are found.
 */
export const followOn = async (
  parts: Parts,
  starts: ReadonlyMap<string, (rows: string) => string>,
  also: ReadonlyMap<string, string> = new Map()
): Promise<Followed> => {
  const { plan, carried } = parts
  const { keep, followed } = createFollowed(parts)
  for (const { id } of plan.relations) {
    const start = starts.get(id)
    const links = (carried.links.get(id) ?? []).filter(
      ({ input, kind }) => kind !== 'unknown' && followed.count(input) > 0
    )
    if (start !== undefined) {
      // oxlint-disable-next-line no-await-in-loop -- each needs those before it
      await keep(id, start)
    } else if (links.length > 0) {
      const found = links.map(
        (link) =>
          `EXISTS (SELECT 1 FROM ${quoteName(tableName(link.input))} AS "_input" WHERE ${linkedSql(link, '"_row"', '"_input"')})`
      )
      const where = `(${found.join(' OR ')}) AND ${also.get(id) ?? 'true'}`
      // oxlint-disable-next-line no-await-in-loop -- each needs those before it
      await keep(id, (rows) => `SELECT * FROM ${rows} AS "_row" WHERE ${where}`)
    }
  }
  return followed
}
