import type { Plan } from '../../workflow/plan-types.ts'
import { relationKeys } from '../../workflow/step-key.ts'
import { sourceKey, type PreparedSources } from '../engine/compute-engine.ts'
import { ENGINE_BUILD } from '../engine/engine-build.ts'

const sha256 = async (text: string): Promise<string> => {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The keys of a plan's relations; a source's bytes lie under a key that is their hash. */
export const keysOf = (plan: Plan, sources: PreparedSources): Promise<ReadonlyMap<string, string>> =>
  relationKeys(plan, {
    engineBuild: ENGINE_BUILD,
    fingerprint: ({ dataSourceId, options }) => {
      const prepared = sources.get(sourceKey(dataSourceId, options))
      return prepared && JSON.stringify([prepared.blobKey, prepared.reader, prepared.columns])
    },
    hash: sha256
  })
