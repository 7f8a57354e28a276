import type { z } from 'zod'
import { FlowForgeError } from '../db/ports.ts'
import type { WebContent } from '../workflow/data-source/events.ts'
import { dataSourceAggregate } from '../workflow/data-source/data-source.ts'
import { withoutSecrets, withSecrets, type WebRequest } from '../workflow/data-source/web-request.ts'
import { flowForgeInputs, type FlowForgeApi } from './api.ts'
import { throwIfCanceled } from './engine/engine-errors.ts'
import { orCanceled } from './engine/or-canceled.ts'
import { handler } from './handler.ts'
import { createClient } from './http/client.ts'
import { fetchPages, type FetchedPages } from './http/fetch-pages.ts'
import { systemNet, type Net } from './http/net.ts'
import { createRequestRecord, probing } from './http/request-record.ts'
import { forgetFile, forgetTried, keeping } from './source-files.ts'
import type { SourceParts } from './source-handlers.ts'

const inputs = flowForgeInputs.sources
const TRIED_ROWS = 20

type Args = { [K in 'fetchHttp' | 'refresh' | 'tryHttp' | 'cancelFetch']: z.output<(typeof inputs)[K]> }

export type WebSourceApi = Pick<FlowForgeApi['sources'], 'fetchHttp' | 'refresh' | 'tryHttp' | 'cancelFetch'>

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
  net = systemNet,
  ...parts
}: SourceParts & { readonly net?: Net }): WebSourceApi => {
  const { context, aggregates, catalog, engine, world } = parts
  const record = createRequestRecord(context, world)

  /** Those under way that their callers gave a name. */
  const underWay = new Map<string, AbortController>()

  /**
   * Does what can be stopped. A stop is answered at once; what is under way then ends by itself, and `settle`, which is
   * called before anything is kept, lets nothing come of it. After that it cannot be stopped any more.
   */
  const stoppable = async <T>(
    fetchId: string | undefined,
    work: (stop: { readonly signal: AbortSignal; readonly settle: () => void }) => Promise<T>
  ): Promise<T> => {
    const abortion = new AbortController()
    const { signal } = abortion
    const forget = (): void => {
      if (fetchId !== undefined && underWay.get(fetchId) === abortion) underWay.delete(fetchId)
    }
    const settle = (): void => {
      throwIfCanceled(signal)
      forget()
    }
    if (fetchId !== undefined) underWay.set(fetchId, abortion)
    try {
      return await orCanceled(signal, work({ signal, settle }))
    } finally {
      forget()
    }
  }

  const fetching = (
    request: WebRequest,
    dataSourceId: string,
    signal: AbortSignal,
    most?: number
  ): Promise<FetchedPages> => {
    const client = createClient(net, probing(record, { purpose: 'probe', dataSourceId }))
    return fetchPages({ client, record, net, world }, request, {
      dataSourceId,
      signal,
      ...(most === undefined ? {} : { most })
    })
  }

  /** Stores and prepares what was fetched; its file is forgotten again where what follows fails. */
  const storing = <T>(
    { request, name, signal }: { request: WebRequest; name: string; signal: AbortSignal },
    { file, pages, notes }: FetchedPages,
    use: (content: WebContent) => Promise<T>
  ): Promise<T> => {
    const { kind, fileName, mediaType } = fileOf(request, name)
    const fetched = { stream: file.stream(), mediaType, fileName, kind, signal }
    return keeping(parts, fetched, async (stored, prepare) => {
      const found = await prepare()
      const prepared = { ...found, columns: [...found.columns], notes: [...notes, ...found.notes] }
      return use({ fileName, mediaType, ...stored, pages, prepared })
    })
  }

  const fetchHttp = async (
    { request, name, fetchId }: Args['fetchHttp'],
    callId: string | undefined
  ): ReturnType<WebSourceApi['fetchHttp']> => {
    const dataSourceId = `datasource:${callId ?? world.newId()}`
    const command = aggregates.once(callId)
    if (await command.wasCarriedOut()) {
      return { dataSourceId, name: (await catalog.byId(dataSourceId)).name }
    }
    const wanted = name ?? nameFrom(request.url)
    return stoppable(fetchId, async ({ signal, settle }) => {
      const fetched = await fetching(request, dataSourceId, signal)
      return storing({ request, name: wanted, signal }, fetched, async (content) => {
        const freeName = await catalog.freeName(wanted)
        settle()
        await command.execute(dataSourceAggregate, dataSourceId, {
          type: 'AddWebSource',
          name: freeName,
          request: withoutSecrets(request),
          content
        })
        return { dataSourceId, name: freeName }
      })
    })
  }

  const refresh = async (
    { dataSourceId, secrets = {}, fetchId }: Args['refresh'],
    callId: string | undefined
  ): ReturnType<WebSourceApi['refresh']> => {
    const source = await catalog.byId(dataSourceId)
    const { web, sha256, blobKey, prepared } = source.config
    if (web === undefined) {
      const message = `"${source.name}" is a file: there is nowhere to fetch it from. Add the newer file.`
      throw new FlowForgeError('INVALID_INPUT', message, { dataSourceId, reason: 'not-from-the-web' })
    }
    const command = aggregates.once(callId)
    if (await command.wasCarriedOut()) return { rows: prepared.rows, pages: web.pages, isChanged: true }
    const request = withSecrets(web.request, secrets)
    return stoppable(fetchId, async ({ signal, settle }) => {
      const fetched = await fetching(request, dataSourceId, signal)
      const content = await storing({ request, name: source.name, signal }, fetched, async (stored) => {
        settle()
        await command.execute(dataSourceAggregate, dataSourceId, {
          type: 'RefreshWebSource',
          request: web.request,
          content: stored
        })
        return stored
      })
      await forgetFile(parts, { blobKey, prepared })
      return { rows: content.prepared.rows, pages: content.pages, isChanged: content.sha256 !== sha256 }
    })
  }

  const tryHttp = ({ request, fetchId }: Args['tryHttp']) =>
    stoppable(fetchId, async ({ signal }) => {
      const fetched = await fetching(request, `datasource:try:${world.newId()}`, signal, 1)
      return storing({ request, name: nameFrom(request.url), signal }, fetched, async (content) => {
        const { prepared } = content
        const page = await engine.page({ source: prepared, offset: 0, limit: TRIED_ROWS })
        await forgetTried(context, content)
        return { ...page, notes: prepared.notes }
      })
    })

  const cancelFetch = async ({ fetchId }: Args['cancelFetch']): Promise<void> =>
    underWay.get(fetchId)?.abort()

  return {
    fetchHttp: handler('sources.fetchHttp', inputs.fetchHttp, fetchHttp),
    refresh: handler('sources.refresh', inputs.refresh, refresh),
    tryHttp: handler('sources.tryHttp', inputs.tryHttp, tryHttp),
    cancelFetch: handler('sources.cancelFetch', inputs.cancelFetch, cancelFetch)
  }
}
