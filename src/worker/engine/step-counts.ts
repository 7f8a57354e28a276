import type { Plan, PlannedStep } from '../../workflow/plan-types.ts'
import { toQuery } from '../../workflow/query.ts'
import { isEmpty, passesOn } from '../../workflow/relation.ts'
import type { Session } from './session.ts'

type Counted = { rowsIn: number | null; rowsOut: number | null; rejected?: number }

/** How many rows each relation has, as far as it is known; asked for only where nothing tells. */
export type StepCounts = {
  set(relationId: string, rows: number): void
  /** Rows that reach and leave a step; null where there is no such side. */
  of(step: PlannedStep, tables: ReadonlySet<string>): Promise<Counted>
}

/**
 * A counting query reads no more columns than its filters and keys need, which is cheaper than counting in passing or a
 * table for every node.
 */
export const createStepCounts = (plan: Plan, session: Session): StepCounts => {
  const known = new Map<string, number>()
  const byId = new Map(plan.relations.map((relation) => [relation.id, relation]))

  const set = (relationId: string, rows: number): void => {
    known.set(relationId, rows)
    const relation = byId.get(relationId)
    const same = relation === undefined ? undefined : passesOn(relation)
    if (same !== undefined && !known.has(same)) set(same, rows)
  }

  const count = async (relationId: string, tables: ReadonlySet<string>): Promise<number> => {
    const relation = byId.get(relationId)
    if (relation !== undefined && isEmpty(relation)) return 0
    const same = relation === undefined ? undefined : passesOn(relation)
    const counted = known.get(relationId) ?? (same === undefined ? undefined : await count(same, tables))
    if (counted !== undefined) {
      known.set(relationId, counted)
      return counted
    }
    const [row] = await session.rows(
      `SELECT count(*)::DOUBLE AS "rows" FROM (${toQuery(plan, relationId, tables)})`
    )
    const rows = Number(row?.['rows'])
    set(relationId, rows)
    return rows
  }

  const sum = async (ids: readonly string[], tables: ReadonlySet<string>): Promise<number | null> => {
    let total: number | null = null
    for (const id of ids) total = (total ?? 0) + (await count(id, tables))
    return total
  }

  /** Rows that are in `rejected` because an expression failed for them. One query counts the others, too: it may be long. */
  const failedRows = async (nodeId: string, failed: string, tables: ReadonlySet<string>): Promise<number> => {
    const id = `${nodeId}.rejected`
    const [row] = await session.rows(
      `SELECT count(*)::DOUBLE AS "rows", count(*) FILTER (WHERE ${failed})::DOUBLE AS "failed" FROM (${toQuery(plan, id, tables)})`
    )
    set(id, Number(row?.['rows']))
    return Number(row?.['failed'])
  }

  /** Of a rule each row leaves by one of its two ports: those that stay are counted by counting the others, mostly few. */
  const setKept = async (
    { nodeId, kind, outputs }: PlannedStep,
    rowsIn: number | null,
    tables: ReadonlySet<string>
  ): Promise<void> => {
    const [out, rejected] = [`${nodeId}.out`, `${nodeId}.rejected`]
    if (kind !== 'rule' || rowsIn === null || known.has(out)) return
    if (!outputs.includes(out) || !outputs.includes(rejected)) return
    set(out, rowsIn - (await count(rejected, tables)))
  }

  return {
    set,
    of: async (step, tables) => {
      const { nodeId, inputs, outputs, failed } = step
      const rejected = failed === undefined ? {} : { rejected: await failedRows(nodeId, failed, tables) }
      const rowsIn = await sum(inputs, tables)
      await setKept(step, rowsIn, tables)
      return { rowsIn, rowsOut: await sum(outputs, tables), ...rejected }
    }
  }
}
