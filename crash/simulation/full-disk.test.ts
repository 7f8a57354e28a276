import { expect, test } from 'vitest'
import { bundleProgram } from './bundle.ts'
import { createTally, runChain } from './simulate.ts'

/** Seeds whose first opening meets a flush or a write that fails: what it throws says so, as one of FlowForge's errors. */
test.each([3020, 3025, 3038])(
  'a disk that is full or fails at the first opening is told, seed %i',
  async (seed) => {
    const tally = createTally()
    await runChain({ bundle: await bundleProgram(), mode: 'full', seed, tally, kills: 30 })
    expect(tally.failures).toEqual([])
  },
  60_000
)
