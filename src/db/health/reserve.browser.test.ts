import { expect, test } from 'vitest'
import { startOpfsWorker } from '../contract/opfs-client.ts'

test('a reserve that is given up while it is being taken is not there, and does not say that it is', async () => {
  const worker = startOpfsWorker()
  try {
    expect(await worker.releaseWhileTaken(`reserve-${Date.now()}`)).toEqual({ isTaken: false, bytes: null })
  } finally {
    worker.end()
  }
})
