import { join } from 'node:path'
import { startVitest } from 'vitest/node'
import { plantFault } from './faults/fault.ts'
import { FAULTS, type Finder } from './faults/faults.ts'
import { toTable, whereAndWhen, writeSection } from './report.ts'
import { bundleProgram } from './simulation/bundle.ts'
import { countLostResends } from './simulation/resend.ts'
import { createTally, runChain } from './simulation/simulate.ts'

type PlantedFault = (typeof FAULTS)[number]

const root = join(import.meta.dirname, '..')

/** What was found; null where it was not. */
const findByKills = async (
  fault: PlantedFault,
  { mode, kills }: Extract<Finder, { kind: 'kills' }>,
  seed: number
): Promise<string | null> => {
  const bundle = await bundleProgram(fault)
  const tally = createTally()
  for (let next = seed; tally.kills < kills && tally.failures.length === 0; next += 1) {
    await runChain({ bundle, mode, seed: next, tally, kills: kills - tally.kills })
  }
  const [first] = tally.failures
  return first === undefined
    ? null
    : `${tally.kills} kills over a \`${mode}\` disk: ${first.problems[0]?.split(/[\n(]/)[0]?.slice(0, 90) ?? ''}`
}

const findByTest = async (
  fault: PlantedFault,
  { file, name }: Extract<Finder, { kind: 'test' }>
): Promise<string | null> => {
  const vitest = await startVitest(
    'test',
    [file],
    {
      config: false,
      watch: false,
      root,
      reporters: [{}],
      testTimeout: 20_000,
      ...(name === '' ? {} : { testNamePattern: name })
    },
    { plugins: [plantFault(fault)] }
  )
  const failed = vitest.state
    .getTestModules()
    .flatMap((module) => [...module.children.allTests('failed')])
    .map((test) => test.name)
  await vitest.close()
  // The failures are what was wanted; whoever called decides how this process ends.
  process.exitCode = 0
  return failed[0] === undefined ? null : `\`${file}\`: ${failed[0]}`
}

const find = async (fault: PlantedFault, seed: number): Promise<string | null> => {
  switch (fault.by.kind) {
    case 'kills':
      return findByKills(fault, fault.by, seed)
    case 'resend': {
      const lost = await countLostResends(await bundleProgram(fault))
      return lost === 0 ? null : `an event that is sent again after a kill: lost ${lost} times of 30`
    }
    case 'test':
      return findByTest(fault, fault.by)
  }
}

const report = (seed: number, rows: readonly (readonly string[])[], missed: number): Promise<void> =>
  writeSection(
    'Planted faults',
    [
      `${whereAndWhen()}; seed ${seed}; ${rows.length - missed} found of ${rows.length} planted; ${FAULTS.length} stand in \`crash/faults/faults.ts\`.`,
      toTable(['fault', 'planted in', 'found by'], rows)
    ].join('\n\n')
  )

/** Plants each fault by itself; answers with the exit code, 1 where one was not found. */
export const runFaults = async (args: { seed: number; only: string | undefined }): Promise<number> => {
  const { seed, only = '' } = args
  const faults = FAULTS.filter(({ name }) => name.includes(only))
  if (faults.length === 0) throw new Error(`No fault is called "${only}".`)
  const rows: string[][] = []
  let missed = 0
  for (const fault of faults) {
    const found = await find(fault, seed)
    if (found === null) missed += 1
    console.log(
      `${found === null ? 'NOT FOUND' : 'found    '} ${fault.name}: ${found ?? JSON.stringify(fault.by)}`
    )
    rows.push([fault.name, `\`${fault.file}\``, found ?? '**not found**'])
    if (only === '') await report(seed, rows, missed)
  }
  return missed === 0 ? 0 : 1
}
