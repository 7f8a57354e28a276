import { z } from 'zod'
import { accept, firstVersion, refuse, type Aggregate, type EventsOf } from '../aggregate.ts'
import { NodeId } from '../graph.ts'

/** What a person says of requests that may or may not have arrived. */
export const Decision = z.enum(['send-again', 'take-as-done', 'give-up'])
export type Decision = z.infer<typeof Decision>

const UnknownRequestsDecided = z.strictObject({
  runId: z.string().min(1),
  nodeId: NodeId,
  decision: Decision,
  count: z.int().min(1)
})

export const requestsEvents = { UnknownRequestsDecided: firstVersion(UnknownRequestsDecided) } as const
export type RequestsEvent = EventsOf<typeof requestsEvents>

/** What was decided of a node's requests in a run, in order. */
export type Requests = { readonly decisions: readonly Decision[] }
export type RequestsCommand = { readonly type: 'DecideUnknown' } & z.infer<typeof UnknownRequestsDecided>

export const toRequestsId = (runId: string, nodeId: string): string => `requests:${runId}/${nodeId}`

/** A run's requests to a service that a person had to decide about: a stream of its own, because the run may have ended. */
export const requestsAggregate: Aggregate<Requests, RequestsCommand, RequestsEvent> = {
  type: 'requests',
  stateVersion: 1,
  events: requestsEvents,
  initial: { decisions: [] },
  evolve: ({ decisions }, { payload }) => ({ decisions: [...decisions, payload.decision] }),
  decide: (_, { type: __, ...payload }) =>
    payload.count < 1
      ? refuse('nothing-unknown', 'No request of this node is of unknown fate.')
      : accept({ type: 'UnknownRequestsDecided', payload })
}
