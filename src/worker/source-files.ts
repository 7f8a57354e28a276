import type { DbContext } from '../db/ports.ts'
import type { ComputeEngine, PreparedSource, SourceKind } from './engine/compute-engine.ts'
import type { Profiles } from './profiles.ts'

type Parts = { readonly context: DbContext; readonly engine: ComputeEngine }

/** Bytes of a data source that are to be kept. */
export type SourceFile = {
  readonly stream: ReadableStream<Uint8Array>
  readonly mediaType: string
  /** Its ending is said in problems; the kind alone decides how it is read. */
  readonly fileName: string
  readonly kind: SourceKind
  readonly options?: Readonly<Record<string, unknown>>
  /** Stops the reading of it. */
  readonly signal?: AbortSignal
}

export type StoredFile = { readonly blobKey: string; readonly size: number; readonly sha256: string }

/** Whether a data source or a run's artifact has these bytes. */
export const isKeyUsed = async ({ projectionStore }: DbContext, blobKey: string): Promise<boolean> => {
  const sql = `SELECT 1 FROM data_sources WHERE ?1 IN (config_json ->> '$.blobKey', config_json ->> '$.prepared.blobKey')
               UNION ALL SELECT 1 FROM artifacts WHERE uri = ?1 LIMIT 1`
  return (await projectionStore.query({ sql, params: [blobKey] })).length > 0
}

/** Removes those of the blobs that nothing uses. */
const removeUnused = async (context: DbContext, keys: Iterable<string>): Promise<void> => {
  for (const key of new Set(keys)) {
    // oxlint-disable-next-line no-await-in-loop -- two at the most
    if (!(await isKeyUsed(context, key))) await context.blobStore.remove({ key })
  }
}

/**
 * Stores the bytes of a source, and forgets them and what was prepared of them if what follows fails and nothing else
 * uses them.
 *
 * @param use what follows; it may prepare the file once, so that it can be read by the engine
 */
export const keeping = async <T>(
  { context, engine }: Parts,
  { stream, mediaType, ...read }: SourceFile,
  use: (stored: StoredFile, prepare: () => Promise<PreparedSource>) => Promise<T>
): Promise<T> => {
  const { key, size, sha256 } = await context.blobStore.putStream({
    prefix: 'sources/',
    stream,
    contentType: mediaType
  })
  const made = [key]
  const prepare = async (): Promise<PreparedSource> => {
    const prepared = await engine.prepare({ blobKey: key, ...read })
    made.push(prepared.blobKey)
    return prepared
  }
  try {
    return await use({ blobKey: key, size, sha256 }, prepare)
  } catch (thrown) {
    await removeUnused(context, made)
    throw thrown
  }
}

/**
 * Gives back the room of a source that was removed, or whose rows were replaced. A run that read it can be repeated as
 * long as its bytes are there, so those that a run read stay.
 */
export const forgetFile = async (
  { context, profiles }: { readonly context: DbContext; readonly profiles: Profiles },
  { blobKey, prepared }: { readonly blobKey: string; readonly prepared: PreparedSource }
): Promise<void> => {
  if (await isKeyUsed(context, blobKey)) return
  await removeUnused(context, [blobKey, prepared.blobKey])
  if (!(await isKeyUsed(context, prepared.blobKey))) await profiles.forgetSource(prepared)
}

/** As `forgetFile`, for what was only tried and has no profile. */
export const forgetTried = (
  context: DbContext,
  { blobKey, prepared }: { readonly blobKey: string; readonly prepared: PreparedSource }
): Promise<void> => removeUnused(context, [blobKey, prepared.blobKey])
