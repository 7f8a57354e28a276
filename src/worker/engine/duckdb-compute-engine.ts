import { openArtifact } from './artifact-blob.ts'
import { createArtifactReader } from './artifact-reading.ts'
import type { OpenComputeEngine } from './compute-engine.ts'
import { createBinder } from './duckdb-binder.ts'
import { executePlan } from './execution.ts'
import { relationPreview, sourceNulls, sourcePage } from './pages.ts'
import { explorePlan } from './exploring.ts'
import { prepareSource } from './prepare.ts'
import { profileArtifact, profileSource } from './profiling.ts'
import { rememberAnswers } from './remembered-binder.ts'
import { createSessions } from './sessions.ts'
import { MEDIA_TYPES } from './media-types.ts'
import { toFile } from './sink-files.ts'
import { createSourceTables } from './source-tables.ts'

/** The compute engine over DuckDB-WASM. Its worker starts with the first call, not here. */
export const createComputeEngine: OpenComputeEngine = ({ blobStore, readSqliteFile }) => {
  const sessions = createSessions()
  const tables = createSourceTables(blobStore)
  const parts = { sessions, tables, blobStore }
  const binder = rememberAnswers(createBinder(sessions))
  return {
    prepare: prepareSource({ ...parts, readSqliteFile }),
    // Which parameters there are does not matter here: each stands in SQL as a variable cast to its type.
    binder: async () => binder,
    page: sourcePage(parts),
    nullCounts: sourceNulls(parts),
    profileSource: profileSource(parts),
    profileArtifact: profileArtifact(parts),
    preview: relationPreview(parts),
    execute: executePlan(parts),
    explore: explorePlan(parts),
    readArtifact: createArtifactReader(blobStore),
    saveArtifact: async ({ blobKey, layout, columns, format }) => {
      const blob = await openArtifact(blobStore, blobKey)
      const file = await toFile({ blob, layout, columns }, { format })
      return new Response(file, { headers: { 'content-type': MEDIA_TYPES[format] } }).blob()
    },
    close: sessions.close
  }
}
