import { z } from 'zod'
import { FlowForgeError, type DbContext } from '../db/ports.ts'
import { explainCell, rowLike, toMarkedRow } from '../workflow/explain/explain-cell.ts'
import { explainMissing } from '../workflow/explain/explain-missing.ts'
import { keyVariable } from '../workflow/explain/sought.ts'
import { RowIds } from '../workflow/run/events.ts'
import { findColumn } from '../workflow/sql-text.ts'
import { flowForgeInputs, type FlowForgeApi } from './api.ts'
import type { Catalog } from './catalog.ts'
import type { ItemVersions } from './catalog-items/item-versions.ts'
import type { AskService } from './engine/ask-service.ts'
import type { ComputeEngine } from './engine/compute-engine.ts'
import { handler } from './handler.ts'
import type { AskingRun } from './http/ask.ts'
import { openPastRun } from './past-run.ts'
import { rowIdsOf } from './runs/row-ids-of.ts'

const inputs = flowForgeInputs.explain
type Parts = {
  context: DbContext
  catalog: Catalog
  itemVersions: ItemVersions
  engine: ComputeEngine
  /** Who answers for services, here from the record alone. */
  askFor: (run: AskingRun) => AskService
}

const Table = z.object({
  run_id: z.string(),
  node_id: z.string(),
  uri: z.string(),
  stats_json: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(
      z.object({
        port: z.string().default('in'),
        rowIds: RowIds.optional(),
        layout: z.object({
          pieces: z.array(z.object({ offset: z.number(), bytes: z.number(), rows: z.number() }))
        })
      })
    )
})

export const createExplainHandlers = (parts: Parts): FlowForgeApi['explain'] => {
  const { context, engine } = parts

  const tableOf = async (artifactId: string): Promise<z.infer<typeof Table>> => {
    const sql = 'SELECT run_id, node_id, uri, stats_json FROM artifacts WHERE id = ?'
    const [row] = await context.projectionStore.query({ sql, params: [artifactId] })
    const table = Table.safeParse(row)
    if (table.success) return table.data
    const message = 'Only the rows of a result can be explained, of a run of this version or a later one.'
    throw new FlowForgeError('NOT_FOUND', message, { artifactId })
  }

  const cell: FlowForgeApi['explain']['cell'] = async ({ artifactId, row, column }) => {
    const { run_id: runId, node_id: rowId, uri, stats_json: stats } = await tableOf(artifactId)
    const { port, layout, rowIds } = stats
    const nodeId = rowId.slice(rowId.lastIndexOf('/') + 1)
    const past = await openPastRun(parts, runId, { nodeId, port })
    const { explained, sources, files, items, answers, findResponses } = past
    const { plan, carried, steps, unfolded } = explained
    const relation = `${unfolded.leaving(nodeId, port)}.${port}`
    const { columns = [] } = steps.relations.find(({ id }) => id === relation) ?? {}
    if (findColumn(columns, column) === undefined) {
      throw new FlowForgeError('NOT_FOUND', `This result has no column "${column}".`, { column })
    }
    const marked =
      rowIds && toMarkedRow(explained, relation, rowIds.marks, await rowIdsOf(context.blobStore, rowIds, row))
    const asked = '_asked'
    const explanation = await engine.explore(
      {
        plan,
        sources,
        rowColumn: carried.rowColumn,
        answers,
        row: { table: asked, blobKey: uri, layout, at: row }
      },
      (reading, provided) =>
        explainCell(
          { reading, explained, sources: provided, findResponses },
          { relation, column, start: rowLike(columns, asked, row, carried.prefix, marked) }
        )
    )
    if ((explanation.steps[0]?.total ?? 0) > 0) {
      return { ...explanation, files, items, byRowIds: marked !== undefined }
    }
    const message = 'The row was computed again and did not come out the same, so it cannot be explained.'
    throw new FlowForgeError('CONFLICT', message, { artifactId, row })
  }

  const missing: FlowForgeApi['explain']['missing'] = async ({ runId, nodeId, key }) => {
    const past = await openPastRun(parts, runId, { nodeId, port: 'out' })
    const { explained, sources, files, items, answers, findResponses } = past
    const { plan, carried, steps } = explained
    const target =
      ['in', 'out']
        .map((port) => `${nodeId}.${port}`)
        .find((id) => steps.relations.some((each) => each.id === id)) ??
      steps.relations.findLast((relation) => relation.nodeId === nodeId)?.id
    if (target === undefined) {
      throw new FlowForgeError('NOT_FOUND', `This run has no node "${nodeId}".`, { nodeId })
    }
    const variables = Object.fromEntries(
      Object.entries(key).map(([name, value]) => [keyVariable(name), value === null ? null : String(value)])
    )
    const explanation = await engine.explore(
      { plan, sources, rowColumn: carried.rowColumn, answers, variables },
      (reading, provided) =>
        explainMissing(
          { reading, explained, sources: provided, findResponses },
          { target, keys: Object.keys(key) }
        )
    )
    if ('refused' in explanation) throw new FlowForgeError('INVALID_INPUT', explanation.refused, { key })
    return { ...explanation, files, items }
  }

  return {
    cell: handler('explain.cell', inputs.cell, cell),
    missing: handler('explain.missing', inputs.missing, missing)
  }
}
