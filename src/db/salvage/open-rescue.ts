import type { Rescue } from '../salvage-port.ts'
import { DEFAULT_DIRECTORY } from '../sqlite/open-database.ts'
import { openPlace } from '../sqlite/sqlite-context.ts'
import { openRescueIn, type RescueOptions } from './rescue.ts'

/** Opens the storage's files without its database. @throws FlowForgeError `STORAGE_UNAVAILABLE` while somebody has them open */
export const openRescue = async (
  options: RescueOptions & { readonly directory?: string }
): Promise<Rescue> => {
  const place = await openPlace(options.storage, options.directory ?? DEFAULT_DIRECTORY)
  try {
    return await openRescueIn(place, options)
  } catch (thrown) {
    place.databases.close()
    throw thrown
  }
}
