import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startEngine, type Engine } from './contract/duckdb.ts'
import { GraphEdge, type Graph, type GraphNode, type NodeKind } from './graph.ts'
import { planGraph } from './plan.ts'
import { toQuery } from './query.ts'
import { quoteName, quoteText } from './sql-text.ts'

/** Texts that would mean something else if they were ever read as SQL. */
const NASTY = [
  `"; DROP TABLE victim; --`,
  `'; DROP TABLE victim; --`,
  `") FROM victim; DELETE FROM victim; --`,
  `a" AS b, (SELECT 1) AS "c`,
  `x'); ATTACH 'other.db'; --`,
  `$$; SET threads = 1; $$`,
  `/* */ -- ;`,
  `a"b'c\`d`,
  `COLUMNS(*)`,
  '*',
  `$least`,
  `getvariable('least')`,
  '${least} {{least}} ? :least %s',
  `E'\\'' || (SELECT 1)`,
  `emoji 💥 and\nlines\tand tabs`,
  `_0`,
  `n1.out`,
  `_marked`,
  `input`
] as const

const REFUSED_EXPRESSIONS = [
  `1); DROP TABLE victim; --`,
  `1); DROP TABLE victim; SELECT (1`,
  `1 FROM victim`,
  `(SELECT count(*) FROM victim)`,
  `EXISTS (FROM victim)`,
  `(VALUES (1))`,
  `read_csv('/etc/passwd')`,
  `read_text('/etc/passwd')`,
  `query('DROP TABLE victim')`,
  `query_table('victim')`,
  `current_setting('threads')`,
  `getvariable('least')`,
  `nextval('s')`,
  `"nextval"('s')`,
  `getenv('HOME')`,
  `COLUMNS(*)`,
  `*`,
  `1 /* ; */`,
  `1 -- x`,
  `$$x$$`,
  `E'\\''`,
  `now()`,
  `random()`,
  `1 OVER ()`,
  `a) FROM victim --`,
  `"a"); DROP TABLE victim; --"`
] as const

const REFUSED_QUERIES = [
  'SELECT * FROM victim',
  'SELECT * FROM input; DROP TABLE victim',
  'SELECT * FROM input, victim',
  'SELECT (SELECT count(*) FROM victim) FROM input',
  'WITH v AS (FROM victim) SELECT * FROM v',
  `SELECT * FROM read_csv('/etc/passwd')`,
  `SELECT * FROM '/etc/passwd'`,
  `SELECT * FROM input JOIN main.victim ON true`,
  `SELECT * FROM query('FROM victim')`,
  'DROP TABLE victim',
  'SELECT * FROM input) AS x; DROP TABLE victim; SELECT * FROM (SELECT 1',
  "COPY input TO 'x.csv'",
  'SELECT * FROM duckdb_settings()'
] as const

let engine: Engine
/** What the engine is besides its temporary tables: what nothing may change. */
const stateOf = (): unknown => ({
  victims: engine.rows('SELECT * FROM victim'),
  tables: engine.rows(`SELECT table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY ALL`),
  databases: engine.rows('SELECT database_name FROM duckdb_databases() ORDER BY ALL'),
  settings: engine.rows('SELECT name, value FROM duckdb_settings() ORDER BY ALL')
})
let before: unknown
beforeAll(async () => {
  engine = await startEngine()
  engine.rows('CREATE TABLE victim AS SELECT 42 AS worth')
}, 60_000)
beforeEach(() => {
  before = stateOf()
})
afterEach(() => expect(stateOf()).toEqual(before))

const node = (id: string, kind: NodeKind, name: string, spec: Record<string, unknown>): GraphNode => ({
  id,
  kind,
  name,
  spec
})
const edge = (from: string, to: string, rest: Partial<GraphEdge> = {}) =>
  GraphEdge.parse({ from, to, ...rest })

const planOver = async (graph: Graph, sql: string, parameters = {}) => {
  const described = await engine.binder.describe(sql, [])
  if (!described.ok) throw new Error(described.message)
  const catalog = {
    find: async (name: string) => ({ dataSourceId: name, name, columns: described.columns, rows: null })
  }
  return planGraph({ graph, parameters, catalog, binder: engine.binder })
}

describe('a text from outside stays a text', () => {
  it.each(NASTY)('%j', async (text) => {
    const a = quoteName(text)
    const graph: Graph = {
      parameters: { least: { type: 'text' } },
      nodes: [
        node('s', 'source', text, { dataSource: text }),
        node('t', 'transform', text, {
          steps: [
            { op: 'filter', where: `${a} = $least` },
            { op: 'derive', columns: { [`${text} anew`]: `${a} || ${quoteText(text)}` } },
            { op: 'cast', columns: { [text]: 'text' } },
            { op: 'sort', by: [{ column: text }] },
            { op: 'distinct', by: [text] }
          ]
        }),
        node('r', 'rule', text, {
          rules: [
            { name: text, when: `n = 2`, reject: text },
            {
              name: `${text} too`,
              when: `${a} IS NOT NULL`,
              set: { [text]: a, [`${text} set`]: quoteText(text) }
            }
          ]
        }),
        node('p', 'transform', text, {
          steps: [
            { op: 'aggregate', groupBy: [text], columns: { [`${text} counted`]: 'count(*)' } },
            { op: 'rename', columns: { [text]: `${text} renamed` } },
            { op: 'unpivot', columns: [`${text} renamed`], nameTo: `${text} name`, valueTo: `${text} value` }
          ]
        }),
        node('v', 'transform', text, {
          steps: [
            {
              op: 'pivot',
              on: `${a} IN (${quoteText(text)})`,
              using: { [text]: 'count(*)' }
            }
          ]
        }),
        node('j', 'join', text, { type: 'left', on: [{ left: text, right: text }], suffix: text }),
        node('o', 'sink', text, { format: 'csv', fileName: 'out.csv' })
      ],
      edges: [
        edge('s', 't', { condition: `${a} <> 'other'` }),
        edge('t', 'r'),
        edge('r', 'p'),
        edge('s', 'v'),
        edge('s', 'j', { toPort: 'left' }),
        edge('s', 'j', { toPort: 'right' }),
        edge('j', 'o')
      ]
    }
    const table = `SELECT * FROM (VALUES (${quoteText(text)}, 1), (${quoteText(text)}, 2), ('other', 3)) AS t(${a}, n)`
    const { plan, problems } = await planOver(graph, table, { least: text })
    expect(problems).toEqual([])
    if (plan === undefined) return
    engine.rows(`CREATE OR REPLACE TEMP TABLE "s.out" AS ${table}`)
    engine.rows(`SET VARIABLE "least" = (SELECT ${quoteText(text)})`)
    const rows = (relation: string) => engine.rows(toQuery(plan, relation, new Set()))
    expect(rows('t.out')).toEqual([{ [text]: text, n: 1, [`${text} anew`]: text + text }])
    expect(rows('r.out')).toEqual([
      { [text]: text, n: 1, [`${text} anew`]: text + text, [`${text} set`]: text }
    ])
    expect(rows('p.out')).toEqual([
      { [`${text} counted`]: 1n, [`${text} name`]: `${text} renamed`, [`${text} value`]: text }
    ])
    expect(rows('v.out')).toEqual([{ [`${text}_${text}`]: 2n }])
    expect(rows('o.in')).toHaveLength(5)
    const rejecting = { ...graph, edges: [edge('s', 't'), edge('s', 'r')], nodes: graph.nodes.slice(0, 3) }
    const answer = await planOver(rejecting, table, { least: text })
    const rejected =
      answer.plan === undefined ? [] : engine.rows(toQuery(answer.plan, 'r.rejected', new Set()))
    expect(rejected).toEqual([{ [text]: text, n: 2, _rule: text, _reason: text }])
  })

  it.each(NASTY)('a parameter never stands in a plan: %j', async (text) => {
    const value = `${text} ${'only here'}`
    const graph: Graph = {
      parameters: { least: { type: 'text', default: value } },
      nodes: [
        node('s', 'source', 's', { dataSource: 's' }),
        node('t', 'transform', 't', { steps: [{ op: 'filter', where: 'a = $least' }] })
      ],
      edges: [edge('s', 't')]
    }
    const { plan } = await planOver(graph, `SELECT 'x' AS a`, { least: value })
    expect(JSON.stringify(plan?.relations)).not.toContain('only here')
    expect(plan?.parameters).toEqual({ least: value })
  })
})

describe('what is more than an expression is refused, wherever an expression may stand', () => {
  const PLACES: Readonly<Record<string, (text: string) => readonly [NodeKind, Record<string, unknown>]>> = {
    filter: (where) => ['transform', { steps: [{ op: 'filter', where }] }],
    derive: (text) => ['transform', { steps: [{ op: 'derive', columns: { b: text } }] }],
    aggregate: (text) => ['transform', { steps: [{ op: 'aggregate', columns: { b: text } }] }],
    'pivot using': (using) => ['transform', { steps: [{ op: 'pivot', on: `a IN ('x')`, using }] }],
    'pivot on': (text) => [
      'transform',
      { steps: [{ op: 'pivot', on: `a IN (${text})`, using: 'count(*)' }] }
    ],
    'rule when': (when) => ['rule', { rules: [{ name: 'r', when }] }],
    'rule set': (text) => ['rule', { rules: [{ name: 'r', when: 'true', set: { a: text } }] }],
    otherwise: (text) => ['rule', { otherwise: { a: text } }],
    branch: (when) => ['branch', { outputs: [{ name: 'out', when }] }],
    sql: (query) => ['transform', { steps: [{ op: 'sql', query }] }]
  }
  const planned = async (kind: NodeKind, spec: Record<string, unknown>, condition?: string) =>
    planOver(
      {
        parameters: {},
        nodes: [node('s', 'source', 's', { dataSource: 's' }), node('t', kind, 't', spec)],
        edges: [edge('s', 't', condition === undefined ? {} : { condition })]
      },
      `SELECT 'x' AS a`
    )

  it.each(Object.keys(PLACES))('%s', async (place) => {
    const texts = place === 'sql' ? [...REFUSED_QUERIES, ...REFUSED_EXPRESSIONS] : REFUSED_EXPRESSIONS
    for (const text of texts) {
      const [kind, spec] = PLACES[place]?.(text) ?? ['transform', {}]
      // oxlint-disable-next-line no-await-in-loop -- one engine
      const { plan, problems } = await planned(kind, spec)
      expect(plan, text).toBeUndefined()
      expect(problems, text).not.toEqual([])
    }
  })

  it('the condition of an edge, and of a join', async () => {
    for (const text of REFUSED_EXPRESSIONS) {
      // oxlint-disable-next-line no-await-in-loop -- one engine
      expect((await planned('transform', { steps: [] }, text)).plan, text).toBeUndefined()
      // oxlint-disable-next-line no-await-in-loop -- one engine
      const joined = await planOver(
        {
          parameters: {},
          nodes: [
            node('s', 'source', 's', { dataSource: 's' }),
            node('j', 'join', 'j', { onExpression: text })
          ],
          edges: [edge('s', 'j', { toPort: 'left' }), edge('s', 'j', { toPort: 'right' })]
        },
        `SELECT 'x' AS a`
      )
      expect(joined.plan, text).toBeUndefined()
    }
  })
})
