import { FlowForgeError } from '../db/ports.ts'
import type { WebContent } from '../workflow/data-source/events.ts'
import { dataSourceAggregate } from '../workflow/data-source/data-source.ts'
import { withoutSecrets, withSecrets, type WebRequest } from '../workflow/data-source/web-request.ts'
import { flowForgeInputs, type FlowForgeApi } from './api.ts'
import { handler } from './handler.ts'
import { createClient } from './http/client.ts'
import { fetchPages, type FetchedPages } from './http/fetch-pages.ts'
import { systemNet, type Net } from './http/net.ts'
import { createRequestRecord, probing } from './http/request-record.ts'
import { isKeyUsed, keeping, type SourceParts } from './source-handlers.ts'

const inputs = flowForgeInputs.sources
const TRIED_ROWS = 20

export type WebSourceApi = Pick<FlowForgeApi['sources'], 'fetchHttp' | 'refresh' | 'tryHttp'>

/** A name out of an address: its last part, or whom it asks. */
const nameFrom = (url: string): string => {
  const { hostname, pathname } = new URL(url)
  const last = pathname.split('/').findLast((part) => part !== '')
  return (last ?? hostname).slice(0, 200)
}

/** What is fetched lies in a file: CSV as it came, all else as one list of rows. */
const fileOf = ({ format }: WebRequest, name: string) => {
  const base = name.replace(/\.(json|ndjson|jsonl|csv)$/i, '')
  return format === 'csv'
    ? ({ kind: 'csv', fileName: `${base}.csv`, mediaType: 'text/csv' } as const)
    : ({ kind: 'json', fileName: `${base}.json`, mediaType: 'application/json' } as const)
}

export const createWebSourceHandlers = ({
  context,
  aggregates,
  catalog,
  engine,
  world,
  net = systemNet
}: SourceParts & { readonly net?: Net }): WebSourceApi => {
  const record = createRequestRecord(context, world)

  const fetching = (request: WebRequest, dataSourceId: string, most?: number): Promise<FetchedPages> => {
    const client = createClient(net, probing(record, { purpose: 'probe', dataSourceId }))
    const { signal } = new AbortController()
    return fetchPages({ client, record, net, world }, request, {
      dataSourceId,
      signal,
      ...(most === undefined ? {} : { most })
    })
  }

  /** Stores and prepares what was fetched; its file is forgotten again where what follows fails. */
  const storing = <T>(
    request: WebRequest,
    name: string,
    { file, pages, notes }: FetchedPages,
    use: (content: WebContent) => Promise<T>
  ): Promise<T> => {
    const { kind, fileName, mediaType } = fileOf(request, name)
    return keeping(
      context,
      context.blobStore,
      file.stream(),
      mediaType,
      async ({ key: blobKey, size, sha256 }) => {
        const found = await engine.prepare({ blobKey, fileName, kind })
        const prepared = { ...found, columns: [...found.columns], notes: [...notes, ...found.notes] }
        return use({ fileName, mediaType, size, sha256, blobKey, pages, prepared })
      }
    )
  }

  const fetchHttp = async (
    { request, name }: { request: WebRequest; name?: string | undefined },
    callId: string | undefined
  ) => {
    const dataSourceId = `datasource:${callId ?? world.newId()}`
    const command = aggregates.once(callId)
    if (await command.wasCarriedOut()) {
      return { dataSourceId, name: (await catalog.byId(dataSourceId)).name }
    }
    const fetched = await fetching(request, dataSourceId)
    const wanted = name ?? nameFrom(request.url)
    return storing(request, wanted, fetched, async (content) => {
      const freeName = await catalog.freeName(wanted)
      await command.execute(dataSourceAggregate, dataSourceId, {
        type: 'AddWebSource',
        name: freeName,
        request: withoutSecrets(request),
        content
      })
      return { dataSourceId, name: freeName }
    })
  }

  const refresh = async (
    { dataSourceId, secrets = {} }: { dataSourceId: string; secrets?: Record<string, string> | undefined },
    callId: string | undefined
  ) => {
    const source = await catalog.byId(dataSourceId)
    const { web, sha256, blobKey, prepared } = source.config
    if (web === undefined) {
      const message = `"${source.name}" is a file: there is nowhere to fetch it from. Add the newer file.`
      throw new FlowForgeError('INVALID_INPUT', message, { dataSourceId, reason: 'not-from-the-web' })
    }
    const command = aggregates.once(callId)
    if (await command.wasCarriedOut()) return { rows: prepared.rows, pages: web.pages, isChanged: true }
    const request = withSecrets(web.request, secrets)
    const fetched = await fetching(request, dataSourceId)
    const content = await storing(request, source.name, fetched, async (stored) => {
      await command.execute(dataSourceAggregate, dataSourceId, {
        type: 'RefreshWebSource',
        request: web.request,
        content: stored
      })
      return stored
    })
    // A run that read it can be repeated as long as its bytes are there; without one, they only take up room.
    if (!(await isKeyUsed(context, blobKey))) await context.blobStore.remove({ key: blobKey })
    return { rows: content.prepared.rows, pages: content.pages, isChanged: content.sha256 !== sha256 }
  }

  const tryHttp = async ({ request }: { request: WebRequest }) => {
    const fetched = await fetching(request, `datasource:try:${world.newId()}`, 1)
    return storing(request, nameFrom(request.url), fetched, async ({ blobKey, prepared }) => {
      const page = await engine.page({ source: prepared, offset: 0, limit: TRIED_ROWS })
      for (const key of new Set([blobKey, prepared.blobKey])) {
        // oxlint-disable-next-line no-await-in-loop -- two at the most
        if (!(await isKeyUsed(context, key))) await context.blobStore.remove({ key })
      }
      return { ...page, notes: prepared.notes }
    })
  }

  return {
    fetchHttp: handler('sources.fetchHttp', inputs.fetchHttp, fetchHttp),
    refresh: handler('sources.refresh', inputs.refresh, refresh),
    tryHttp: handler('sources.tryHttp', inputs.tryHttp, tryHttp)
  }
}
