import { isEndpoint, type RequestPlan } from '../http/request.ts'
import { DEFAULT_RETRY } from '../http/retry.ts'
import { columnsOf, columnsOfBody } from '../http/template.ts'
import { maskedNames } from '../http/written-secrets.ts'
import { findColumn, sameName } from '../sql-text.ts'
import type { Column } from '../value-type.ts'
import { ownValue } from '../own-value.ts'
import { compileRelations } from './http-relations.ts'
import { HttpSpec } from './http-spec.ts'
import { all, keyPath, oneInput, readerOf, type Compiling, type SpecProblem } from './node-type.ts'

export { HttpSpec } from './http-spec.ts'

type Request = NonNullable<HttpSpec['request']>

const DEFAULT_CONCURRENCY = 4
const DEFAULT_TIMEOUT_MS = 30_000

/** Headers that a browser sets itself and drops without a word when a page gives them (Fetch, forbidden request-headers). */
const BROWSERS_OWN =
  /^(accept-charset|accept-encoding|access-control-.*|connection|content-length|cookie2?|date|dnt|expect|host|keep-alive|origin|referer|set-cookie|te|trailer|transfer-encoding|upgrade|via|proxy-.*|sec-.*)$/i

const doubled = (names: readonly string[]): string | undefined =>
  names.find((name, at) => names.findIndex((other) => sameName(other, name)) < at)

const invalid = (spec: HttpSpec): readonly SpecProblem[] => {
  const { template, request, response, per, key } = spec
  if ((template === undefined) === (request === undefined)) {
    return [{ path: '', message: 'An HTTP node has a template or a request, one of them.' }]
  }
  const columns = Object.keys(response?.columns ?? {})
  const names = [...columns, ...(response?.indexTo === undefined ? [] : [response.indexTo])]
  const twice = doubled(names)
  return [
    ...Object.keys(request?.headers ?? {})
      .filter((name) => BROWSERS_OWN.test(name))
      .map((name) => ({
        path: `.request.headers${keyPath(name)}`,
        message: `A browser sets "${name}" itself and sends no other. Remove this header.`
      })),
    ...(twice === undefined
      ? []
      : [{ path: '.response.columns', message: `Two columns would be called "${twice}".` }]),
    ...Object.keys(response?.types ?? {})
      .filter((name) => !columns.includes(name))
      .map((name) => ({
        path: `.response.types${keyPath(name)}`,
        message: `There is no column "${name}" in the answer to be read as a type.`
      })),
    ...(key !== undefined && key.length > 0 && per === 'once'
      ? [{ path: '.key', message: 'A request that is sent once for all rows has no key.' }]
      : [])
  ]
}

/** A document holds no secrets: what was masked in one has to be given again. */
const secretsLeftOut = (request: Request): readonly SpecProblem[] => {
  const { headers, parameters } = maskedNames(request)
  const said = (name: string): string =>
    `The value of "${name}" is a secret, which a workflow's file does not hold. Write it in again.`
  return [
    ...headers.map((name) => ({ path: `.request.headers${keyPath(name)}`, message: said(name) })),
    ...parameters.map((name) => ({ path: '.request.path', message: said(name) }))
  ]
}

const notBuilt = ({ template, request }: HttpSpec): readonly SpecProblem[] => {
  if (template !== undefined) {
    return [{ path: '.template', message: `There is no request template "${template}" in the catalog.` }]
  }
  const { endpoint = '' } = request ?? {}
  if (isEndpoint(endpoint)) return request === undefined ? [] : secretsLeftOut(request)
  const message = /^https?:\/\/[^/]*@/i.test(endpoint)
    ? 'A browser sends no name and password in an address. Write them into an Authorization header.'
    : `"${endpoint}" is neither an address (https://…) nor an endpoint in the catalog.`
  return [{ path: '.request.endpoint', message }]
}

/** Where columns are named: the template's path in the spec, and the names. */
const named = ({ path, headers = {}, body }: Request, idempotencyKey: string | undefined) => [
  { path: '.request.path', names: columnsOf(path) },
  ...Object.entries(headers).map(([name, template]) => ({
    path: `.request.headers${keyPath(name)}`,
    names: columnsOf(template)
  })),
  { path: '.request.body', names: columnsOfBody(body) },
  { path: '.idempotencyKey', names: columnsOf(idempotencyKey ?? '') }
]

/** Columns that a request's templates name, as they are written there. */
export const templateColumns = (request: Request, idempotencyKey: string | undefined): readonly string[] =>
  named(request, idempotencyKey).flatMap(({ names }) => names)

/** The columns that the templates name, each once. */
const askedColumns = async (
  { per, idempotencyKey }: HttpSpec,
  request: Request,
  columns: readonly Column[],
  compiling: Compiling
): Promise<readonly Column[] | undefined> => {
  const places = named(request, idempotencyKey).flatMap(({ path, names }) =>
    names.map((name) => ({ path, name }))
  )
  const found = await all(places, async ({ path, name }) => {
    if (per !== 'once') return compiling.column(path, name, columns)
    const message = `"${name}" is a column, and one request for all rows knows none. Ask once for each row or key.`
    return compiling.report(path, 'invalid', message)
  })
  return found && [...new Map(found.map((column) => [column.name, column])).values()]
}

/** The columns that tell requests apart; for `distinct` without a key, those that the templates name. */
const keyColumns = async (
  { per, key = [] }: HttpSpec,
  asked: readonly Column[],
  columns: readonly Column[],
  compiling: Compiling
): Promise<readonly Column[] | undefined> => {
  if (per === 'once') return []
  const keys = await all(key, async (name, index) => compiling.column(`.key[${index}]`, name, columns))
  if (keys === undefined) return undefined
  if (keys.length === 0) return per === 'row' ? columns : asked
  const outside =
    per === 'distinct' ? asked.find(({ name }) => findColumn(keys, name) === undefined) : undefined
  if (outside === undefined) return keys
  const message = `"${outside.name}" is in the request and not in the key: rows of one key could ask different things. Add it to the key.`
  return compiling.report('.key', 'invalid', message)
}

const toPlan = (spec: HttpSpec, { endpoint, method, path, headers = {}, body }: Request): RequestPlan => ({
  method,
  endpoint,
  path,
  headers,
  ...(body === undefined ? {} : { body }),
  template: spec.template ?? null,
  columns: Object.entries(spec.response?.columns ?? {}).map(([name, pointer]) => ({
    name,
    pointer,
    type: ownValue(spec.response?.types, name) ?? 'text'
  })),
  explode: spec.response?.explode ?? null,
  format: spec.response?.format ?? null,
  concurrency: spec.concurrency ?? DEFAULT_CONCURRENCY,
  ratePerSecond: spec.ratePerSecond,
  timeoutMs: spec.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  retry: spec.retry ?? DEFAULT_RETRY,
  idempotencyKey: spec.idempotencyKey ?? null,
  onError: spec.onError
})

/**
 * Asks a service: for each row, for each distinct key, or once. `out` has the input's columns and the answer's; with
 * `explode`, a row for each element, and one with NULLs where there is none. What fails ends the run (`fail`), leaves by
 * `rejected` with `_status` and `_reason` (`reject`), or is kept without an answer and with `_error` (`keep`).
 */
export const readHttp = readerOf<HttpSpec>({
  kind: 'http',
  schema: HttpSpec,
  inputs: () => [oneInput('in')],
  outputs: () => ['out', 'rejected'],
  expressions: () => [],
  invalid,
  notBuilt,
  compile: async (spec, compiling) => {
    const [input] = compiling.input('in')
    if (input === undefined || spec.request === undefined) return undefined
    const { columns = {}, indexTo } = spec.response ?? {}
    const added = [...Object.keys(columns), ...(indexTo === undefined ? [] : [indexTo])]
    const taken = added.find((name) => findColumn(input.columns, name) !== undefined)
    if (taken !== undefined) {
      const message = `Two columns would be called "${taken}": the rows have it already. Give the answer's another name.`
      return compiling.report(`.response.columns${keyPath(taken)}`, 'invalid', message)
    }
    const asked = await askedColumns(spec, spec.request, input.columns, compiling)
    if (asked === undefined) return undefined
    const keys = await keyColumns(spec, asked, input.columns, compiling)
    if (keys === undefined) return undefined
    return compileRelations(
      { per: spec.per, plan: toPlan(spec, spec.request), input, asked, keys, indexTo },
      compiling
    )
  }
})
