import { z } from 'zod'
import { Decision } from '../../workflow/requests/requests.ts'
import { Text, type In } from './parts.ts'

/** All optional: without any, every request that ever left this machine. */
const Which = {
  runId: Text.optional(),
  nodeId: Text.optional(),
  /** Those that fetched a data source's pages. */
  dataSourceId: Text.optional(),
  /** Only those that failed, or have no answer. */
  failed: z.boolean().optional()
}

export const requestsInputs = {
  /** + Newest first; `limit` defaults to 200. */
  list: z.strictObject({
    ...Which,
    offset: z.number().int().min(0).optional(),
    limit: z.number().int().min(1).max(1_000).optional()
  }),
  /** + One request in full, with its answer's text and as a command line. */
  read: z.strictObject({ requestId: Text }),
  /** + An HTTP Archive (HAR 1.2) of a run's requests, at most 10,000. */
  har: z.strictObject({ runId: Text, nodeId: Text.optional() }),
  /** + Requests of a run that may or may not have arrived, by node. */
  unknown: z.strictObject({ runId: Text }),
  /** + What is to become of them when the run goes on. */
  decide: z.strictObject({ runId: Text, nodeId: Text, decision: Decision })
} as const

type Inputs = { [K in keyof typeof requestsInputs]: In<(typeof requestsInputs)[K]> }

/** An attempt that left, secrets masked. */
export type SentRequest = {
  requestId: string
  /** `step`: of a run's HTTP node; `source`: a page of a data source; `probe`: whether a service that failed is there. */
  purpose: 'step' | 'source' | 'probe'
  runId: string | null
  nodeId: string | null
  dataSourceId: string | null
  method: string
  url: string
  attempt: number
  status: number | null
  /** Bytes of the answer. */
  size: number | null
  ms: number | null
  at: string
  /** Null where it was answered with success; `sent`: no answer was seen, as when the browser was closed. */
  failure: { kind: string; message: string } | null
}

export type SentRequestInFull = SentRequest & {
  headers: Readonly<Record<string, string>>
  body: string | null
  answer: {
    headers: Readonly<Record<string, string>>
    contentType: string | null
    /** Null where it is no text. */
    text: string | null
    /** Only the beginning stands in `text`. */
    isCut: boolean
  } | null
  curl: string
}

export type RequestsApi = {
  list(args: Inputs['list']): Promise<{ requests: SentRequest[]; total: number }>
  read(args: Inputs['read']): Promise<SentRequestInFull>
  har(args: Inputs['har']): Promise<Blob>
  unknown(args: Inputs['unknown']): Promise<{ nodeId: string; count: number }[]>
  decide(args: Inputs['decide']): Promise<{ decided: number }>
}
