import { bundleProgram } from './simulation/bundle.ts'
import { MODES, createTally, runChain, type Mode } from './simulation/simulate.ts'

/** Seeded kills over the simulated file system, printed as they end. Answers with the exit code. */
export const runSimulation = async (args: {
  seed: number
  kills: number
  only: string | undefined
}): Promise<number> => {
  const modes = MODES.filter((mode: Mode) => args.only === undefined || args.only === mode)
  if (modes.length === 0) throw new Error(`There is no mode "${args.only}". There are ${MODES.join(', ')}.`)
  const bundle = await bundleProgram()
  let failed = 0
  for (const mode of modes) {
    const tally = createTally()
    const wanted = Math.ceil(args.kills / modes.length)
    const started = performance.now()
    for (let seed = args.seed; tally.kills < wanted; seed += 1) {
      await runChain({ bundle, mode, seed, tally, kills: wanted - tally.kills })
    }
    failed += tally.failures.length
    const { failures, moments, operations, ...counts } = tally
    console.log(mode, { ...counts, seconds: Math.round((performance.now() - started) / 1000) })
    console.log('  under way:', Object.fromEntries(moments), 'killed in:', Object.fromEntries(operations))
    for (const { seed, life, problems } of failures.slice(0, 10)) {
      console.error(
        `  FAILED in life ${life}; again: npm run crash -- --seed ${seed} --kills 30 --only ${mode}`
      )
      for (const problem of problems) console.error(`    ${problem.slice(0, 500)}`)
    }
  }
  return failed === 0 ? 0 : 1
}
