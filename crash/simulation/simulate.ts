import { createRandom, type Random } from '../random.ts'
import type { Bundle } from './bundle.ts'
import { work } from './clients.ts'
import { createDisk, type Disk, type DiskFaults } from './disk.ts'
import { createFacts, toStored, type Facts } from './facts.ts'
import { startLife, type Life } from './life.ts'
import type { Locks } from './opfs.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'
import { verify } from './verify.ts'
import type { Workbench } from './workbench.ts'

/** What the disk does beside its work, and what is demanded of the program over it. */
export const MODES = ['sound', 'full', 'lost-flush'] as const
/**
 * `sound`: the power fails and programs are killed, and the disk keeps what it flushed. `full`: besides, it runs out of
 * room, and flushes fail. Both demand everything. `lost-flush`: flushes are said to be done that were not; then no
 * program can keep its word, and what is demanded is that the database is sound, or found to be damaged.
 */
export type Mode = (typeof MODES)[number]

const CLIENTS = ['a', 'b', 'c'] as const

const faultsOf = (mode: Mode, random: Random): DiskFaults => ({
  sector: random.pick([512, 4096]),
  garbles: random.chance(0.3),
  fullAs: random.pick(['huge-number', 'short-write', 'exception']),
  fullChance: mode === 'full' ? 0.003 : 0,
  failedFlushChance: mode === 'full' ? 0.003 : 0,
  lostFlushChance: mode === 'lost-flush' ? random.pick([0.05, 0.5, 1]) : 0
})

/** Every word that was not kept, with what it takes to see it again. */
export type Failure = {
  readonly seed: number
  readonly mode: Mode
  readonly life: number
  readonly problems: readonly string[]
}

export type Tally = {
  kills: number
  powerFailures: number
  closed: number
  verified: number
  events: number
  /** Over a disk that loses flushes: how often the damage was found, and how often acknowledged work was missing. */
  damaged: number
  incomplete: number
  /** How many calls of each sort were under way when the program was killed. */
  readonly moments: Map<string, number>
  /** In which operation of the file system it was killed. */
  readonly operations: Map<string, number>
  readonly failures: Failure[]
}

export const createTally = (): Tally => ({
  kills: 0,
  powerFailures: 0,
  closed: 0,
  verified: 0,
  events: 0,
  damaged: 0,
  incomplete: 0,
  moments: new Map(),
  operations: new Map(),
  failures: []
})

const count = (counts: Map<string, number>, key: string): void =>
  void counts.set(key, (counts.get(key) ?? 0) + 1)

/** A time for each event, the same whenever the seed is. */
const createWorld = (facts: Facts, life: string) => {
  let ids = 0
  return {
    now: () => new Date(Date.UTC(2026, 0, 1) + facts.next()).toISOString(),
    newId: () => `${life}-id${(ids += 1)}`
  }
}

/** Thrown where a life cannot go on because of what it found. */
class Broken extends Error {
  override readonly name = 'Broken'
  readonly problems: readonly string[]
  readonly isDamage: boolean
  constructor(problems: readonly string[], isDamage: boolean) {
    super(problems.join('\n'))
    this.problems = problems
    this.isDamage = isDamage
  }
}

type Chain = {
  readonly mode: Mode
  readonly random: Random
  readonly disk: Disk
  readonly locks: Locks
  readonly facts: Facts
  readonly tally: Tally
  hasCaughtUp: boolean
}

const said = (thrown: unknown): string =>
  thrown instanceof Error
    ? `${String(Reflect.get(thrown, 'code') ?? thrown.name)}: ${thrown.message}`
    : String(thrown)

/** As the file system threw it: so it comes through where no database is in between. */
const isFailedFlush = (thrown: unknown): boolean =>
  thrown instanceof DOMException && thrown.name === 'UnknownError'

/** What a full disk or a failed flush explains, and what nothing explains. */
const isExplained = (mode: Mode, thrown: unknown): boolean => {
  if (mode === 'full' && (isFailedFlush(thrown) || isFailedFlush(Reflect.get(Object(thrown), 'cause'))))
    return true
  const code: unknown = Reflect.get(Object(thrown), 'code')
  return mode === 'full' && (code === 'STORAGE_FULL' || code === 'INTERNAL')
}

/** One life: opens, checks everything that was said before, works, and is closed or killed on the way. */
const live = async (
  chain: Chain,
  life: Life,
  scheduler: Scheduler,
  name: string,
  underWay: Map<string, number>,
  isLast: boolean
) => {
  const { random, facts, mode, tally } = chain
  const { program, killer } = life
  const world = createWorld(facts, name)
  const during = async <T>(what: string, promise: Promise<T>): Promise<T> => {
    underWay.set(what, 1)
    const answer = await promise
    if (!killer.isDead()) underWay.delete(what)
    return answer
  }
  const context = await during('opening', program.openDbContext({ storage: 'opfs', ...world }))
  // Checkpoints of the WAL come every few commits instead of every few hundred.
  if (random.chance(0.7)) {
    await context.projectionStore.query({ sql: `PRAGMA wal_autocheckpoint = ${random.between(4, 60)}` })
  }
  const { integrity, promises } = await during(
    'verifying',
    verify(context, life, facts, { hasCaughtUp: chain.hasCaughtUp, backsUp: random.chance(0.15) })
  )
  if (integrity.length + promises.length > 0)
    throw new Broken([...integrity, ...promises], integrity.length > 0)
  tally.verified += 1
  if (isLast) return during('closing', context.close())

  const surprises: unknown[] = []
  /** The log could not be read, and the subscription has ended; the next life goes on where it was. */
  let isDeaf = false
  const stop = program.followEvents(
    context,
    { afterPosition: facts.heardUpTo },
    ({ events, position }) => {
      if (killer.isDead()) return
      facts.heard.push(...events.map(toStored))
      facts.heardUpTo = position
    },
    (thrown) => {
      isDeaf = true
      if (!killer.isDead() && !isExplained(mode, thrown)) surprises.push(thrown)
    }
  )
  chain.hasCaughtUp = false
  if (killer.remaining() === Infinity)
    killer.killAfter(random.pick([random.between(1, 30), random.between(1, 300)]))
  const log = program.createEventLog(context, program.ALL_PROJECTIONS)
  const aggregates = program.createAggregateStore(context, log, world)
  const projections = await during(
    'starting projections',
    program.startProjections({ context, definitions: program.ALL_PROJECTIONS, world })
  )
  await Promise.all(
    CLIENTS.map((client): Promise<void> => {
      const bench: Workbench = {
        client,
        lifeName: name,
        life,
        context,
        log,
        aggregates,
        projections,
        scheduler,
        random: random.fork(),
        facts,
        underWay,
        onFailure: (thrown) => {
          if (!isExplained(mode, thrown)) surprises.push(thrown)
        }
      }
      return work(bench, random.between(1, 12))
    })
  )
  if (killer.isDead()) return
  const { logPosition } = await context.facts()
  while (facts.heardUpTo < logPosition && !isDeaf && !killer.isDead()) {
    await new Promise<void>((resolve) => scheduler.after(1, resolve))
  }
  if (surprises.length > 0) {
    throw new Broken(
      surprises.map((thrown) => `unexpected ${said(thrown)}`),
      false
    )
  }
  chain.hasCaughtUp = !isDeaf
  stop()
  await projections.stop()
  await during('closing', context.close())
}

type LifeArgs = { bundle: Bundle; number: number; seed: number; isLast: boolean }

/** Answers how it ended; `found` where something was wrong. */
const runLife = async (
  chain: Chain,
  { bundle, number, seed, isLast }: LifeArgs
): Promise<'killed' | 'closed' | 'found'> => {
  const { mode, random, disk, locks, tally } = chain
  const scheduler = createScheduler()
  const life = startLife({ bundle, disk, locks, scheduler, random: random.fork() })
  const { killer } = life
  // One in five dies early: while it opens, migrates, recovers or checks.
  if (!isLast && random.chance(0.2)) killer.killAfter(random.between(1, 400))
  const underWay = new Map<string, number>()
  const problems: string[] = []
  let isDamaged = false
  const living = live(chain, life, scheduler, `life${number}`, underWay, isLast)
  try {
    await scheduler.run(Promise.race([living, killer.death]))
  } catch (thrown) {
    isDamaged = !(thrown instanceof Broken) || thrown.isDamage
    const found = thrown instanceof Broken ? thrown.problems : [said(thrown)]
    if (!killer.isDead() && !isExplained(mode, thrown)) problems.push(...found)
  }
  const wasKilled = killer.isDead()
  if (wasKilled) {
    tally.kills += 1
    count(tally.operations, killer.diedIn() ?? 'between two')
    for (const [what, calls] of underWay) if (calls > 0) count(tally.moments, what)
  } else {
    tally.closed += 1
    killer.kill()
  }
  locks.left = new Set(locks.held)
  locks.held.clear()
  locks.lingering = random.chance(0.1) ? random.between(1, 4) : 0
  if (random.chance(0.5)) {
    tally.powerFailures += 1
    disk.fail()
  }
  if (problems.length === 0) return wasKilled ? 'killed' : 'closed'
  if (mode === 'lost-flush') {
    if (isDamaged) tally.damaged += 1
    else tally.incomplete += 1
  } else {
    tally.failures.push({ seed, mode, life: number, problems: [...problems, ...life.said.slice(-5)] })
  }
  return 'found'
}

const LIVES = 30

/** One disk and the programs that live on it one after the other, each after the death of the last. */
export const runChain = async (args: {
  bundle: Bundle
  mode: Mode
  seed: number
  tally: Tally
  /** Ends the chain after so many kills. */
  kills: number
}): Promise<void> => {
  const { bundle, mode, seed, tally, kills } = args
  const random = createRandom(seed)
  const facts = createFacts()
  const chain: Chain = {
    mode,
    random,
    disk: createDisk(faultsOf(mode, random), random.fork()),
    locks: { held: new Set(), left: new Set(), lingering: 0 },
    facts,
    tally,
    hasCaughtUp: false
  }
  const before = tally.kills
  let last: 'killed' | 'closed' | 'found' = 'closed'
  let number = 0
  for (; number < LIVES && last !== 'found' && tally.kills - before < kills; number += 1) {
    last = await runLife(chain, { bundle, number, seed, isLast: false })
  }
  // What the last one left is looked at, too.
  if (last === 'killed') await runLife(chain, { bundle, number, seed, isLast: true })
  tally.events += facts.appends.reduce((sum, { events }) => sum + events.length, 0)
}
