import { v7 as uuidv7 } from 'uuid'

/** What the program takes from the machine; passed in, so that tests decide it. */
export type World = {
  /** Now, ISO-8601 UTC with milliseconds. */
  readonly now: () => string
  /** A new id, unique for ever. */
  readonly newId: () => string
}

export const systemWorld: World = {
  now: () => new Date().toISOString(),
  // In the order of time: ids that are made together stand together in an index, however long the log is.
  newId: () => uuidv7()
}
