import { expect, test, vi } from 'vitest'
import { createGiveWay } from './give-way.ts'

const BUILD = { code: 'newer', schemaVersion: 9, builtAt: '2026-01-01T00:00:00.000Z' }

test('a lead that could not be given up is given up when it is asked for again', async () => {
  const report = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const end = vi.fn().mockRejectedValueOnce(new Error('the storage is busy')).mockResolvedValue(undefined)
  const giveWay = createGiveWay({
    busy: () => null,
    stopTaking: () => undefined,
    drained: async () => undefined,
    end
  })
  giveWay(BUILD)
  giveWay(BUILD)
  await vi.waitFor(() => expect(report).toHaveBeenCalledOnce())
  expect(end).toHaveBeenCalledOnce()
  giveWay(BUILD)
  await vi.waitFor(() => expect(end).toHaveBeenCalledTimes(2))
  report.mockRestore()
})
