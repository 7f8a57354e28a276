import { toCounts, toTable, whereAndWhen, writeSection } from './report.ts'
import { bundleProgram } from './simulation/bundle.ts'
import { MODES, createTally, runChain, type Mode, type Tally } from './simulation/simulate.ts'

export type PartArgs = { mode: Mode; seed: number; step: number; kills: number }

/** Kills in one process: the chains of every `step`th seed. */
export const simulatePart = async ({ mode, seed, step, kills }: PartArgs): Promise<Tally> => {
  const bundle = await bundleProgram()
  const tally = createTally()
  for (let next = seed; tally.kills < kills; next += step) {
    await runChain({ bundle, mode, seed: next, tally, kills: kills - tally.kills })
  }
  return tally
}

const COUNTS = ['kills', 'powerFailures', 'closed', 'verified', 'events', 'damaged', 'incomplete'] as const

const addAll = (into: Map<string, number>, from: ReadonlyMap<string, number>): void => {
  for (const [name, count] of from) into.set(name, (into.get(name) ?? 0) + count)
}

const sum = (parts: readonly Tally[]): Tally => {
  const all = createTally()
  for (const part of parts) {
    for (const count of COUNTS) all[count] += part[count]
    addAll(all.moments, part.moments)
    addAll(all.operations, part.operations)
    all.failures.push(...part.failures)
  }
  return all
}

const print = (mode: Mode, tally: Tally, seconds: number): void => {
  const { failures, moments, operations, ...counts } = tally
  console.log(mode, { ...counts, seconds })
  console.log('  under way:', Object.fromEntries(moments), 'killed in:', Object.fromEntries(operations))
  for (const { seed, life, problems } of failures.slice(0, 10)) {
    console.error(
      `  FAILED in life ${life}; again: npm run crash -- --seed ${seed} --kills 30 --only ${mode} --processes 1`
    )
    for (const problem of problems) console.error(`    ${problem.slice(0, 500)}`)
  }
}

const report = (seed: number, tallies: ReadonlyMap<Mode, Tally>): Promise<void> => {
  const rows = [...tallies].map(([mode, tally]) => [
    `\`${mode}\``,
    tally.kills,
    tally.powerFailures,
    tally.verified,
    tally.events,
    mode === 'lost-flush' ? `${tally.damaged} damaged, ${tally.incomplete} incomplete` : tally.failures.length
  ])
  const all = sum([...tallies.values()])
  const head = ['disk', 'kills', 'power failures', 'openings verified', 'events asked for', 'failures']
  const body = [
    `${whereAndWhen()}; seed ${seed}; ${all.kills} kills.`,
    toTable(head, rows),
    `Calls under way when they came: ${toCounts(all.moments)}.`,
    `Killed in: ${toCounts(all.operations)}.`
  ]
  return writeSection('Simulated file system', body.join('\n\n'))
}

/** From so many kills on a run is one to report. */
const WORTH_REPORTING = 1_000

/** Seeded kills over the simulated file system, in several processes. Answers with the exit code. */
export const runSimulation = async (args: {
  seed: number
  kills: number
  only: string | undefined
  processes: number
  startPart: (part: PartArgs) => Promise<Tally>
}): Promise<number> => {
  const { seed, only, processes, startPart } = args
  const modes = MODES.filter((mode: Mode) => only === undefined || args.only === mode)
  if (modes.length === 0) throw new Error(`There is no mode "${only}". There are ${MODES.join(', ')}.`)
  const kills = Math.ceil(args.kills / modes.length / processes)
  const tallies = new Map<Mode, Tally>()
  for (const mode of modes) {
    const started = performance.now()
    const parts = Array.from({ length: processes }, (_, part) =>
      startPart({ mode, seed: seed + part, step: processes, kills })
    )
    const tally = sum(await Promise.all(parts))
    tallies.set(mode, tally)
    print(mode, tally, Math.round((performance.now() - started) / 1000))
  }
  const all = sum([...tallies.values()])
  if (all.kills >= WORTH_REPORTING && only === undefined) await report(seed, tallies)
  const demanded = [...tallies].filter(([mode]) => mode !== 'lost-flush')
  return demanded.every(([, { failures }]) => failures.length === 0) ? 0 : 1
}
