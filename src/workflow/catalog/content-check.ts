import { inspectExpression, type Scope } from '../expression.ts'
import { isWrittenSecret } from '../http/written-secrets.ts'
import { keyPath, type ExpressionAt, type SpecProblem } from '../nodes/node-type.ts'
import { ruleExpressions, ruleProblems } from '../nodes/rule.ts'
import { stepExpressions } from '../nodes/transform.ts'
import { inspectQuery } from '../query-gate.ts'
import type { CatalogContent, ContentOf } from './content.ts'
import type { OperatorSpec } from './operator-spec.ts'

/**
 * Headers that hold a secret whatever stands in them; others that look like one do where it is written there. Secrets wait
 * for the vault, because an event keeps what it is given for ever.
 */
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-api-key'
])

const headerProblems = (headers: Readonly<Record<string, string>> = {}): readonly SpecProblem[] =>
  Object.entries(headers)
    .filter(([name, value]) => SECRET_HEADERS.has(name.toLowerCase()) || isWrittenSecret(name, value))
    .map(([name]) => ({
      path: `.headers${keyPath(name)}`,
      message: `The header "${name}" holds a secret. Secrets are not kept in the catalog; leave it out.`
    }))

/** What is wrong with a base URL; undefined where nothing is. */
const baseUrlProblem = (baseUrl: string): string | undefined => {
  const found = /^https?:\/\/([^/?#\s]+)([^?#\s]*)(.*)$/i.exec(baseUrl)
  if (found === null) return 'A base URL begins with https:// or http://, such as https://api.example.com/v1.'
  const [, authority = '', , rest] = found
  if (authority.includes('@')) return 'A base URL holds no user and no password.'
  return rest === '' ? undefined : 'A base URL ends before ?, # and spaces; say them in a request’s path.'
}

const endpointProblems = ({ spec }: ContentOf<'endpoint'>): readonly SpecProblem[] => {
  const message = baseUrlProblem(spec.baseUrl)
  return [...(message === undefined ? [] : [{ path: '.baseUrl', message }]), ...headerProblems(spec.headers)]
}

/** Every `{{` has its `}}`, with a column's name between them. */
const templateProblem = (path: string, text: string): readonly SpecProblem[] => {
  const rest = text.replaceAll(/\{\{[^{}]+\}\}/g, '')
  return rest.includes('{{') || rest.includes('}}')
    ? [{ path, message: 'A {{column}} is not closed, or names no column.' }]
    : []
}

const templateProblems = ({ spec }: ContentOf<'request-template'>): readonly SpecProblem[] => [
  ...templateProblem('.path', spec.path),
  ...Object.entries(spec.headers ?? {}).flatMap(([name, text]) =>
    templateProblem(`.headers${keyPath(name)}`, text)
  ),
  ...templateProblem('.body', spec.body ?? ''),
  ...headerProblems(spec.headers)
]

const expressionsOf = (spec: OperatorSpec): readonly ExpressionAt[] => {
  const byColumn = (columns: Readonly<Record<string, string>>, scope: Scope): ExpressionAt[] =>
    Object.entries(columns).map(([name, text]) => ({ path: `.columns${keyPath(name)}`, text, scope }))
  switch (spec.kind) {
    case 'transform':
      return spec.steps.flatMap((step, index) => stepExpressions(`.steps[${index}]`, step))
    case 'validation':
      return spec.checks.map(({ when }, index) => ({
        path: `.checks[${index}].when`,
        text: when,
        scope: 'scalar'
      }))
    case 'aggregate':
      return byColumn(spec.columns, 'aggregate')
    case 'enricher':
      return byColumn(spec.columns, 'scalar')
  }
}

/** What the gate that needs no engine says; with `parameters`, no other may be named. */
const expressionProblems = (
  expressions: readonly ExpressionAt[],
  parameters?: readonly string[]
): readonly SpecProblem[] =>
  expressions.flatMap(({ path, text, scope }) => {
    const inspected = scope === 'query' ? inspectQuery(text) : inspectExpression(text, scope)
    if (!inspected.ok) return [{ path, message: inspected.message }]
    if (parameters === undefined) return []
    return inspected.parameters
      .filter((name) => !parameters.includes(name))
      .map((name) => ({
        path,
        message: `The operator has no parameter "${name}". Add it, or write another.`
      }))
  })

const operatorProblems = ({ spec }: ContentOf<'operator'>): readonly SpecProblem[] => {
  const names = spec.parameters.map(({ name }) => name)
  const doubled = spec.parameters.flatMap(({ name }, index) =>
    names.indexOf(name) < index
      ? [{ path: `.parameters[${index}].name`, message: `There are two parameters "${name}".` }]
      : []
  )
  return [...doubled, ...expressionProblems(expressionsOf(spec), names)]
}

const joinProblems = ({ spec }: ContentOf<'join'>): readonly SpecProblem[] => {
  const { on = [], onExpression } = spec
  return on.length === 0 && onExpression === undefined
    ? [{ path: '.on', message: 'A join needs a pair of columns to match, or an expression.' }]
    : onExpression === undefined
      ? []
      : expressionProblems([{ path: '.onExpression', text: onExpression, scope: 'scalar' }])
}

const schemaProblems = ({ spec }: ContentOf<'schema'>): readonly SpecProblem[] => {
  const { type = 'object', properties = {} } = spec.jsonSchema
  return [
    ...(type === 'object'
      ? []
      : [{ path: '.jsonSchema.type', message: 'A row is an object: its schema has the type "object".' }]),
    ...(typeof properties === 'object' && properties !== null && !Array.isArray(properties)
      ? []
      : [
          {
            path: '.jsonSchema.properties',
            message: 'The properties are an object: column name → its schema.'
          }
        ])
  ]
}

/** What keeps a content from being published, beyond its schema; what depends on the rows is seen where it is used. */
export const contentProblems = (content: CatalogContent): readonly SpecProblem[] => {
  switch (content.kind) {
    case 'endpoint':
      return endpointProblems(content)
    case 'request-template':
      return templateProblems(content)
    case 'operator':
      return operatorProblems(content)
    case 'rule-set':
      return [...ruleProblems(content.spec.rules), ...expressionProblems(ruleExpressions(content.spec.rules))]
    case 'join':
      return joinProblems(content)
    case 'schema':
      return schemaProblems(content)
    case 'auth-profile':
    case 'dataset':
      return []
  }
}
