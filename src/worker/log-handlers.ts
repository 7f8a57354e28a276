import type { ChainProgress, ChainReport, DbContext } from '../db/ports.ts'
import { flowForgeInputs, type FlowForgeApi } from './api.ts'
import { handler } from './handler.ts'

/** The log's keeping, for the settings screen. One check at a time: whoever asks meanwhile gets its answer. */
export const createLogHandlers = (context: Pick<DbContext, 'log'>): FlowForgeApi['log'] => {
  let verifying: ChainProgress | null = null
  let underWay: Promise<ChainReport> | null = null

  const verify = async (): Promise<ChainReport> => {
    try {
      // What was appended just now is part of what is asked about.
      const { sealedEvents } = await context.log.seal()
      verifying = { checkedEvents: 0, ofEvents: sealedEvents }
      return await context.log.verify((progress) => {
        verifying = progress
      })
    } finally {
      verifying = null
      underWay = null
    }
  }

  return {
    state: handler('log.state', flowForgeInputs.log.state, async () => ({
      ...(await context.log.chain()),
      verifying
    })),
    verify: handler('log.verify', flowForgeInputs.log.verify, () => (underWay ??= verify()))
  }
}
