import { z } from 'zod'
import type { BlobStorePort } from '../db/ports.ts'
import { TableProfile } from '../workflow/profile/table-profile.ts'
import type { ComputeEngine, PreparedSource } from './engine/compute-engine.ts'

/** Goes up when what a profile says, or how it is computed, changes: old ones are then not found any more. */
const EDITION = 1
const MEDIA_TYPE = 'application/json'

type ArtifactTable = Parameters<ComputeEngine['profileArtifact']>[0]

/**
 * What stands in the columns of sources and results, computed once and kept. A profile's key is made of what it is a
 * profile of, whose own key is the hash of its bytes: the same rows have the same profile, whoever wrote them.
 */
export type Profiles = {
  ofSource(source: PreparedSource): Promise<TableProfile>
  ofArtifact(table: ArtifactTable): Promise<TableProfile>
  /** To be called when the source's bytes are gone. */
  forgetSource(source: PreparedSource): Promise<void>
}

const encoder = new TextEncoder()

const keyOf = async (...of: readonly unknown[]): Promise<string> => {
  const digest = await crypto.subtle.digest('SHA-256', encoder.encode(JSON.stringify([EDITION, ...of])))
  return `profiles/${[...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
const sourceKeyOf = ({ blobKey, reader, columns }: PreparedSource): Promise<string> =>
  keyOf(blobKey, reader, columns)

const Kept = z
  .string()
  .transform((text): unknown => JSON.parse(text))
  .pipe(TableProfile)

export const createProfiles = ({
  blobStore,
  engine
}: {
  blobStore: BlobStorePort
  engine: Pick<ComputeEngine, 'profileSource' | 'profileArtifact'>
}): Profiles => {
  /** Two screens may ask at once. */
  const underWay = new Map<string, Promise<TableProfile>>()

  const read = async (key: string): Promise<TableProfile | undefined> => {
    const blob = await blobStore.get({ key })
    return blob === null ? undefined : Kept.parse(new TextDecoder().decode(blob.data))
  }

  const keep = async (key: string, compute: () => Promise<TableProfile>): Promise<TableProfile> => {
    const known = await read(key)
    if (known !== undefined) return known
    const profile = await compute()
    const data = encoder.encode(JSON.stringify(profile))
    await blobStore.put({ key, data, contentType: MEDIA_TYPE })
    return profile
  }

  const once = (key: string, compute: () => Promise<TableProfile>): Promise<TableProfile> => {
    const going = underWay.get(key)
    if (going !== undefined) return going
    const started = keep(key, compute).finally(() => underWay.delete(key))
    underWay.set(key, started)
    return started
  }

  return {
    ofSource: async (source) => once(await sourceKeyOf(source), () => engine.profileSource({ source })),
    ofArtifact: async (table) =>
      once(await keyOf(table.blobKey, table.columns), () => engine.profileArtifact(table)),
    forgetSource: async (source) => blobStore.remove({ key: await sourceKeyOf(source) })
  }
}
