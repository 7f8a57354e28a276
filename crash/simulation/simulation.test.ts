import { beforeAll, expect, test } from 'vitest'
import { bundleProgram, type Bundle } from './bundle.ts'
import { countLostResends } from './resend.ts'
import { createTally, runChain, type Mode } from './simulate.ts'

let bundle: Bundle
beforeAll(async () => {
  bundle = await bundleProgram()
}, 60_000)

/** So many kills, from one seed on; a failure names the seed that shows it again. */
const kill = async (mode: Mode, seed: number, kills: number) => {
  const tally = createTally()
  for (let next = seed; tally.kills < kills && tally.failures.length === 0; next += 1) {
    await runChain({ bundle, mode, seed: next, tally, kills: kills - tally.kills })
  }
  return tally
}

test('what was acknowledged outlives kills and power failures, and nothing else is half there', async () => {
  const tally = await kill('sound', 1, 60)
  expect(tally.failures).toEqual([])
  expect(tally.verified).toBeGreaterThan(30)
}, 120_000)

test('so it does where the disk runs full and flushes fail', async () => {
  const tally = await kill('full', 1, 40)
  expect(tally.failures).toEqual([])
  expect(tally.verified).toBeGreaterThan(20)
}, 120_000)

test('a first opening that was cut short leaves a pool in which the next one finds room', async () => {
  const tally = await kill('sound', 1007, 8)
  expect(tally.failures).toEqual([])
}, 60_000)

test('an opening that finds no room says so', async () => {
  const tally = await kill('full', 100_064, 3)
  expect(tally.failures).toEqual([])
}, 60_000)

test('what a killed program left in the WAL lasts before it is acknowledged to whoever sends it again', async () => {
  expect(await countLostResends(bundle)).toBe(0)
}, 60_000)

test('the same seed is the same run', async () => {
  expect(await kill('sound', 5, 6)).toEqual(await kill('sound', 5, 6))
}, 60_000)

test('a disk that loses flushes is noticed: acknowledged work is missing, or the damage is found', async () => {
  const tally = await kill('lost-flush', 1, 40)
  expect(tally.damaged + tally.incomplete).toBeGreaterThan(0)
}, 120_000)
