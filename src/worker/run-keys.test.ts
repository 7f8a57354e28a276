import { expect, test } from 'vitest'
import { openDbContext } from '../db/index.ts'
import { noteCall } from './once.ts'
import { rememberRun, runOf } from './run-keys.ts'
import { systemWorld } from './world.ts'

test('a key that looks like another scope’s is a run’s key all the same, and no call’s', async () => {
  const context = await openDbContext({ storage: 'memory', ...systemWorld })
  const keys = ['nightly', 'call:c1', 'http:run/node/k', 'sent:s', 'runs.start:nightly']
  expect(await noteCall(context, 'c1', systemWorld.now())).toBe(true)
  for (const key of keys) await rememberRun(context, key, `run of ${key}`, systemWorld.now())
  expect(await Promise.all(keys.map((key) => runOf(context, key)))).toEqual(
    keys.map((key) => `run of ${key}`)
  )
  expect(await noteCall(context, 'nightly', systemWorld.now())).toBe(true)
  await context.close()
})
