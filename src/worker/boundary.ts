import { transferHandlers } from 'comlink'
import { fromWireError, toWireError, type WireError } from './api.ts'

/**
 * Replaces Comlink's way of throwing across the boundary, which keeps the message alone: a `FlowForgeError` arrives
 * with its code and details. Both sides call this before anything else.
 */
export const keepErrorCodes = (): void => {
  const thrown = transferHandlers.get('throw')
  if (thrown === undefined) throw new Error('Comlink has no handler for what is thrown')
  transferHandlers.set('throw', {
    // Comlink marks what was thrown with a symbol that it does not export; its own test knows it.
    canHandle: (value): value is unknown => thrown.canHandle(value),
    serialize: (value): [WireError, Transferable[]] => [toWireError(valueOf(value)), []],
    deserialize: (wire: WireError): never => {
      throw fromWireError(wire)
    }
  })
}

const valueOf = (marked: unknown): unknown =>
  typeof marked === 'object' && marked !== null && 'value' in marked ? marked.value : marked
