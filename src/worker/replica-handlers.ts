import { FlowForgeError, type DbContext, type ReplicaPort } from '../db/ports.ts'
import { flowForgeInputs, type FlowForgeApi } from './api.ts'
import { handler } from './handler.ts'

/** @throws FlowForgeError `NOT_ALLOWED` where the engine has none */
export const replicasOf = ({ replicas }: DbContext): ReplicaPort => {
  if (replicas !== undefined) return replicas
  const message = 'This engine has no replicas: ask without `replica`.'
  throw new FlowForgeError('NOT_ALLOWED', message)
}

export const createReplicaHandlers = (context: DbContext): FlowForgeApi['replicas'] => ({
  rebuild: handler('replicas.rebuild', flowForgeInputs.replicas.rebuild, (args) =>
    replicasOf(context).rebuild(args)
  ),
  check: handler('replicas.check', flowForgeInputs.replicas.check, async (args) => ({
    isSame: await replicasOf(context).check(args)
  }))
})
