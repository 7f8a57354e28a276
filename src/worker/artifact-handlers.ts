import { z } from 'zod'
import { FlowForgeError, type DbContext } from '../db/ports.ts'
import type { SinkFormat } from '../workflow/nodes/sink.ts'
import { ValueType } from '../workflow/value-type.ts'
import { flowForgeInputs, type FlowForgeApi } from './api.ts'
import type { ComputeEngine } from './engine/compute-engine.ts'
import { MEDIA_TYPES } from './engine/media-types.ts'
import { handler } from './handler.ts'
import type { Profiles } from './profiles.ts'

const inputs = flowForgeInputs.artifacts

const Schema = z.object({
  columns: z.array(z.object({ name: z.string(), type: ValueType, engineType: z.string() }))
})
const Stats = z.object({
  layout: z.object({ pieces: z.array(z.object({ offset: z.number(), bytes: z.number(), rows: z.number() })) })
})
const TableRow = z.object({ uri: z.string(), schema_json: z.string(), stats_json: z.string() })

type Parts = { context: DbContext; engine: ComputeEngine; profiles: Profiles }

export const createArtifactHandlers = ({ context, engine, profiles }: Parts): FlowForgeApi['artifacts'] => {
  const find = async (artifactId: string) => {
    const [row] = await context.projectionStore.query({
      sql: 'SELECT * FROM artifacts WHERE id = ?',
      params: [artifactId]
    })
    if (row !== undefined) return row
    throw new FlowForgeError('NOT_FOUND', `There is no artifact "${artifactId}".`, { artifactId })
  }

  /** The artifact's rows; a file's are those of the table that it was made from. */
  const tableOf = async (artifactId: string) => {
    const asked = await find(artifactId)
    const sql = `SELECT * FROM artifacts WHERE run_id = ? AND node_id = ? AND kind = 'table' AND format = 'arrow'`
    const params = [asked['run_id'], asked['node_id']]
    const [row] = asked['kind'] === 'table' ? [asked] : await context.projectionStore.query({ sql, params })
    const parsed = TableRow.safeParse(row)
    if (!parsed.success) {
      throw new FlowForgeError('NOT_FOUND', `The artifact "${artifactId}" holds no rows to read.`, {
        artifactId
      })
    }
    return {
      blobKey: parsed.data.uri,
      columns: Schema.parse(JSON.parse(parsed.data.schema_json)).columns,
      layout: Stats.parse(JSON.parse(parsed.data.stats_json)).layout
    }
  }

  const stored = async (key: string): Promise<Blob> => {
    const blob = await context.blobStore.open({ key })
    if (blob !== null) return blob
    throw new FlowForgeError(
      'CORRUPT',
      'The bytes of this result are gone from storage. Run the workflow again.',
      { key }
    )
  }

  /** Was the file written in this format? JSON and NDJSON are one `format` in the table, and two media types. */
  const isWrittenAs = async (key: string, format: SinkFormat): Promise<boolean> =>
    (await context.blobStore.stat({ key }))?.contentType === MEDIA_TYPES[format]

  return {
    read: handler('artifacts.read', inputs.read, async ({ artifactId, offset = 0, limit = 1_000 }) =>
      engine.readArtifact({ ...(await tableOf(artifactId)), offset, limit })
    ),
    save: handler('artifacts.save', inputs.save, async ({ artifactId, format }) => {
      const asked = await find(artifactId)
      const uri = String(asked['uri'])
      if (asked['kind'] === 'file' && (await isWrittenAs(uri, format))) return stored(uri)
      return engine.saveArtifact({ ...(await tableOf(artifactId)), format })
    }),
    profile: handler('artifacts.profile', inputs.profile, async ({ artifactId }) =>
      profiles.ofArtifact(await tableOf(artifactId))
    )
  }
}
