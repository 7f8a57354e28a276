import { z } from 'zod'
import { Text, type In } from './parts.ts'

export const examplesInputs = {
  /** + Imports an example's bundled data and its workflow; a second time it answers with what is there. */
  open: z.strictObject({ example: Text })
} as const

type Inputs = { [K in keyof typeof examplesInputs]: In<(typeof examplesInputs)[K]> }

export type ExamplesApi = {
  open(args: Inputs['open']): Promise<{ workflowId: string }>
}
