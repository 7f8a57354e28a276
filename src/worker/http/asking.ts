import type { DbContext } from '../../db/ports.ts'
import type { AskService } from '../engine/ask-service.ts'
import type { World } from '../world.ts'
import { createAskService, type AskingRun } from './ask.ts'
import { createClient } from './client.ts'
import { createLedger } from './ledger.ts'
import { systemNet, type Net } from './net.ts'

/** Gives each run somebody who sends its requests and keeps the record. */
export const createAsking = (parts: {
  context: DbContext
  world: World
  net?: Net
}): ((run: AskingRun) => AskService) => {
  const { context, world, net = systemNet } = parts
  const ledger = createLedger(context, world)
  return (run) => createAskService({ context, ledger, client: createClient(net), net, world }, run)
}
