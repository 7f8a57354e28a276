import { expose } from 'comlink'
import { NEWEST_SCHEMA, openDbContext, openRescue, prepareStorage, readSqliteFile } from '../db/index.ts'
import { toFlowForgeError } from '../db/ports.ts'
import type { Boot } from './api.ts'
import { RESCUE_WORKER } from './api/rescue.ts'
import { openBackupNotes } from './backups/notes.ts'
import { keepErrorCodes } from './boundary.ts'
import { BUILT_AT } from './built-at.ts'
import { createDoor } from './door.ts'
import { openComputeEngine } from './engine/open-compute-engine.ts'
import { createGate } from './gate.ts'
import { startProgram } from './program.ts'
import { createRescueHandlers } from './rescue-handlers.ts'
import type { Build } from './tabs/build.ts'
import { createSwitchboard } from './tabs/switchboard.ts'
import { takePart, type Opened } from './tabs/take-part.ts'
import { toTarget } from './tabs/target.ts'
import { systemWorld } from './world.ts'

/** The composition root: leads or follows, opens storage, wires, exposes; nothing else. */
const { now, newId } = systemWorld
const switchboard = createSwitchboard()
const gate = createGate(switchboard)
const build: Build = {
  // The address of this file has a hash of the code in its name.
  code: `${import.meta.url} ${BUILT_AT}`,
  schemaVersion: NEWEST_SCHEMA,
  builtAt: BUILT_AT
}

keepErrorCodes()
// Before the first await: calls that arrive earlier would be lost.
const rescue = createRescueHandlers({ open: () => openRescue({ storage: 'opfs', now, newId }) })
expose(createDoor(switchboard, gate, rescue))

const toBoot = (thrown: unknown): Boot => {
  const { code, message } = toFlowForgeError(thrown)
  return code === 'STORAGE_UNAVAILABLE'
    ? { state: 'storage-unavailable', message }
    : { state: 'failed', code, message }
}

const open = async (onReplaced: () => void): Promise<Opened> => {
  const context = await openDbContext({ storage: 'opfs', now, newId })
  const engine = openComputeEngine({ blobStore: context.blobStore, readSqliteFile })
  /** A rescue, or another tab, must be able to open what this program did not start over. */
  const giveUp = async (): Promise<void> => {
    await engine.close()
    await context.close()
  }
  const program = await startProgram({
    context,
    engine,
    world: systemWorld,
    baseUrl: import.meta.env.BASE_URL,
    onReplaced,
    backupNotes: openBackupNotes()
  }).catch(async (thrown: unknown) => {
    await giveUp().catch((failure: unknown) => console.error('The storage could not be closed', failure))
    throw thrown
  })
  return {
    target: toTarget(program, context),
    busy: program.runUnderWay,
    close: async () => {
      await program.stop()
      await engine.close()
      await context.close()
    }
  }
}

const fail = (thrown: unknown): void => {
  console.error('FlowForge could not start', thrown)
  gate.tell(toBoot(thrown))
}

const AS_ASKED = 'A check found damage, and the storage was left closed so that it can be rescued.'

// Whoever has the storage open cannot rescue it: the page asks for a worker that has not.
if (self.name === RESCUE_WORKER) gate.tell({ state: 'failed', code: 'CORRUPT', message: AS_ASKED })
else {
  takePart({
    build,
    world: systemWorld,
    switchboard,
    gate,
    open,
    prepare: prepareStorage,
    onFailure: fail
  }).catch(fail)
}
