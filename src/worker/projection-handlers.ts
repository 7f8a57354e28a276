import { flowForgeInputs, type FlowForgeApi } from './api.ts'
import { handler } from './handler.ts'
import type { History } from './projections/past.ts'
import type { Projections } from './projections/projections.ts'

const { projections: inputs, history } = flowForgeInputs
/** Who says it, where a caller does not tell: FlowForge has one person at a time. */
const SOMEBODY = 'the person at this browser'

/** What a person may ask of the read models, and tell them. Each of these calls may be sent again. */
export const createProjectionHandlers = (projections: Projections): FlowForgeApi['projections'] => ({
  list: handler('projections.list', inputs.list, () => projections.list()),
  pause: handler('projections.pause', inputs.pause, ({ projection }) => projections.pause(projection)),
  resume: handler('projections.resume', inputs.resume, ({ projection }) => projections.resume(projection)),
  retry: handler('projections.retry', inputs.retry, ({ projection }) => projections.retry(projection)),
  skip: handler('projections.skip', inputs.skip, ({ projection, eventId, by = SOMEBODY }) =>
    projections.skip({ name: projection, eventId, by })
  ),
  rebuild: handler('projections.rebuild', inputs.rebuild, (args) => projections.rebuild(args?.projection))
})

export const createHistoryHandlers = ({ stateAt }: History): FlowForgeApi['history'] => ({
  stateAt: handler('history.stateAt', history.stateAt, (args) => stateAt(args))
})
