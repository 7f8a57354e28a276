import { z } from 'zod'
import { FlowForgeError, type DbContext } from '../db/ports.ts'
import { flowForgeInputs, type FlowForgeApi } from './api.ts'
import { handler } from './handler.ts'

/** What `public/examples/<id>.json` holds: bundled files, and the workflow over them. */
const Example = z.strictObject({
  sources: z.array(z.string()),
  workflow: z.looseObject({ name: z.string() })
})

type Identified<Call> = Call extends (args: infer Args) => infer Answer
  ? (args: Args, callId: string | undefined) => Answer
  : never

type Parts = {
  context: DbContext
  sources: { importFile: Identified<FlowForgeApi['sources']['importFile']> }
  workflows: { import: Identified<FlowForgeApi['workflows']['import']> }
  /** Where the app is served from, with a slash at its end. */
  baseUrl: string
}

export const createExampleHandlers = ({
  context,
  sources,
  workflows,
  baseUrl
}: Parts): FlowForgeApi['examples'] => {
  const bundled = async (name: string): Promise<Response> => {
    const response = await fetch(`${baseUrl}examples/${encodeURIComponent(name)}`).catch((cause: unknown) => {
      const message = `The example's file "${name}" is not here and cannot be fetched without a network. Go online once and try again.`
      throw new FlowForgeError('NOT_FOUND', message, { name }, cause)
    })
    // A static host may answer with the app's own page for what it does not have.
    if (response.ok && !(response.headers.get('content-type') ?? '').startsWith('text/html')) return response
    throw new FlowForgeError('NOT_FOUND', `There is no example "${name}".`, { name })
  }

  const existing = async (name: string): Promise<string | undefined> => {
    const [row] = await context.projectionStore.query({
      sql: 'SELECT id FROM workflows WHERE name = ?',
      params: [name]
    })
    return row === undefined ? undefined : String(row['id'])
  }

  const open = async (example: string, callId: string | undefined): Promise<{ workflowId: string }> => {
    /** Each part lands once, too: a call that is sent again goes on where it was. It is part of an id that stands in addresses. */
    const partOf = (name: string) => (callId === undefined ? undefined : `${callId}-${name}`)
    const response = await bundled(`${example}.json`)
    const { sources: fileNames, workflow } = Example.parse(await response.json())
    const known = await existing(workflow.name)
    if (known !== undefined) return { workflowId: known }
    for (const [index, fileName] of fileNames.entries()) {
      const bytes = await (await bundled(fileName)).blob()
      const file = new File([bytes], fileName, { type: bytes.type })
      await sources.importFile({ file }, partOf(String(index)))
    }
    const { workflowId } = await workflows.import(workflow, partOf('workflow'))
    return { workflowId }
  }

  /** One after the other: two tabs that open the same example get the same workflow. */
  let last: Promise<unknown> = Promise.resolve()
  return {
    open: handler('examples.open', flowForgeInputs.examples.open, ({ example }, callId) => {
      const opened = last.then(() => open(example, callId))
      last = opened.catch(() => undefined)
      return opened
    })
  }
}
