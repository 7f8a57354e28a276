import { join } from 'node:path'
import type { Plugin } from 'vite'

/** A mistake that somebody could make: one place in the code, and what would stand there. */
export type Fault = {
  readonly name: string
  /** From the root of the repository. */
  readonly file: string
  readonly original: string
  readonly replacement: string
}

const root = join(import.meta.dirname, '../..')

/**
 * Builds the code with the mistake in it.
 * @throws Error at the end of the build where the original text does not stand there just once: the code has moved on
 */
export const plantFault = ({ name, file, original, replacement }: Fault): Plugin => {
  const path = join(root, file)
  let isPlanted = false
  return {
    name: 'crash:fault',
    enforce: 'pre',
    transform: (code, id) => {
      if (id.split('?')[0] !== path) return undefined
      if (code.split(original).length !== 2) {
        throw new Error(`The fault "${name}" fits no more: its text should stand just once in ${file}.`)
      }
      isPlanted = true
      return code.replace(original, () => replacement)
    },
    buildEnd: () => {
      if (!isPlanted) throw new Error(`The fault "${name}" was not planted: nothing loads ${file}.`)
    }
  }
}
