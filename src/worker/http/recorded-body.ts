import { FlowForgeError, type DbContext } from '../../db/ports.ts'
import type { Body } from './answer-rows.ts'
import type { Entry } from './ledger.ts'

/** What a request was answered, from the record; null where there is no body, or where nobody reads it. @throws FlowForgeError `CORRUPT` where it is gone */
export const recordedBody = async (context: DbContext, { state, answer }: Entry): Promise<Body | null> => {
  if (state === 'failed' || answer?.blob == null) return null
  const stored = await context.blobStore.get({ key: answer.blob })
  if (stored !== null) return { bytes: stored.data, contentType: answer.contentType }
  throw new FlowForgeError(
    'CORRUPT',
    'A recorded answer is gone from storage. Send the request again in a new run.',
    { key: answer.blob }
  )
}
