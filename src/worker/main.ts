import { expose } from 'comlink'
import { openDbContext, prepareStorage } from '../db/index.ts'
import { toFlowForgeError } from '../db/ports.ts'
import type { Boot } from './api.ts'
import { keepErrorCodes } from './boundary.ts'
import { createDoor } from './door.ts'
import { openComputeEngine } from './engine/open-compute-engine.ts'
import { createGate } from './gate.ts'
import { takeLead } from './leader.ts'
import { startProgram } from './program.ts'
import { hostTabs } from './tabs/host.ts'
import { joinTabs } from './tabs/remote.ts'
import { createSwitchboard } from './tabs/switchboard.ts'
import { toTarget } from './tabs/target.ts'
import { systemWorld } from './world.ts'

/** The composition root: leads or follows, opens storage, wires, exposes; nothing else. */
const { now, newId } = systemWorld
const switchboard = createSwitchboard()
const gate = createGate(switchboard)
/** The address of this file has a hash of the code in its name. */
const build = import.meta.url

keepErrorCodes()
// Before the first await: calls that arrive earlier would be lost.
expose(createDoor(switchboard, gate))

const toBoot = (thrown: unknown): Boot => {
  const { code, message } = toFlowForgeError(thrown)
  return code === 'STORAGE_UNAVAILABLE'
    ? { state: 'storage-unavailable', message }
    : { state: 'failed', code, message }
}

const follow = async (): Promise<() => void> => {
  // Half of what a hand-over takes, done ahead.
  prepareStorage()
  return joinTabs({
    tab: newId(),
    build,
    newId,
    onLeader: (target) => {
      switchboard.attach(target)
      gate.tell({ state: 'ready' })
    },
    onForeign: () => gate.tell({ state: 'other-tab' })
  })
}

const lead = async (): Promise<void> => {
  const context = await openDbContext({ storage: 'opfs', now, newId })
  const engine = openComputeEngine({ blobStore: context.blobStore })
  const program = await startProgram({
    context,
    engine,
    world: systemWorld,
    baseUrl: import.meta.env.BASE_URL
  })
  const target = toTarget(program, context)
  switchboard.attach(target)
  gate.tell({ state: 'ready' })
  hostTabs({ target, epoch: newId(), build })
}

const boot = async (): Promise<void> => {
  let leave = (): void => undefined
  const letGo = await takeLead(async () => {
    leave = await follow()
  })
  switchboard.detach()
  leave()
  await lead().catch((thrown: unknown) => {
    // Another tab may be able to open what this one cannot.
    letGo()
    throw thrown
  })
}

boot().catch((thrown: unknown) => {
  console.error('FlowForge could not start', thrown)
  gate.tell(toBoot(thrown))
})
