import type { DbContext } from '../db/ports.ts'
import { flowForgeInputs, type FlowForgeApi } from './api.ts'
import { handler } from './handler.ts'

/** How the database's file is, for the settings screen. */
export const createHealthHandlers = ({ health }: Pick<DbContext, 'health'>): FlowForgeApi['health'] => ({
  state: handler('health.state', flowForgeInputs.health.state, () => health.state()),
  check: handler('health.check', flowForgeInputs.health.check, () => health.check())
})
