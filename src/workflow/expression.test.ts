import { beforeAll, describe, expect, it } from 'vitest'
import { startEngine, type Engine } from './contract/duckdb.ts'
import { AGGREGATE_FUNCTIONS, SCALAR_FUNCTIONS, WINDOW_FUNCTIONS } from './expression-functions.ts'
import { inspectExpression, rewriteParameters } from './expression.ts'
import { inspectQuery } from './query-gate.ts'

const isOk = (text: string): boolean => inspectExpression(text, 'scalar').ok

describe('the gate of expressions', () => {
  it.each([
    `a + 1 >= $min AND name LIKE '%x;y%'`,
    `"odd -- name" = 'it''s /* no */ comment'`,
    `CASE WHEN a IN (1, 2) THEN 'x' ELSE NULL END`,
    `extract(year FROM d) = 2020 AND trim(BOTH ' ' FROM t) IS NOT DISTINCT FROM u`,
    `CAST(a AS DECIMAL(18, 3)) * 2`,
    `list_transform([1, 2], x -> x * a)[1]`,
    `DATE '2020-01-01' + INTERVAL 1 DAY`,
    `t.value::VARCHAR || 'é'`,
    `größe > 3`,
    `name.upper()`,
    `"limit" ** 2`,
    `(a + b) * (c - d)`
  ])('lets %s through', (text) => {
    expect(inspectExpression(text, 'scalar')).toMatchObject({ ok: true })
  })

  it.each([
    '',
    '1; DROP TABLE t',
    '1 -- x',
    '1 /* x */',
    `'open`,
    `"open`,
    '(1',
    '1)',
    '[1)',
    '$$x$$',
    '$tag$x$tag$',
    '$1',
    '?',
    `E'a\\'; DROP TABLE t; --'`,
    `e'x'`,
    `x'00'`,
    `(SELECT 1)`,
    `a IN (SELECT b FROM t)`,
    `EXISTS (SELECT 1)`,
    `(FROM t)`,
    `(VALUES (1))`,
    `(TABLE t)`,
    `(WITH x AS (SELECT 1) FROM x)`,
    `1 UNION 2`,
    `1 FROM secrets`,
    `1) FROM t WHERE (1`,
    `1 AS v, *`,
    `*`,
    `t.*`,
    `COLUMNS(*)`,
    `unnest([1, 2])`,
    `sum(a)`,
    `row_number() OVER ()`,
    `lower(a) OVER ()`,
    `random()`,
    `"random"()`,
    `RANDOM ()`,
    `a.random()`,
    `main.random()`,
    `now()`,
    `current_date`,
    `"current_timestamp"`,
    `uuid()`,
    `gen_random_uuid()`,
    `nextval('s')`,
    `setseed(0.5)`,
    `error('x')`,
    `getvariable('other')`,
    `current_setting('memory_limit')`,
    `read_csv('x')`,
    `read_text('x')`,
    `query('x')`,
    `write_log('x')`,
    `version()`,
    `txid_current()`,
    `age(d)`,
    `today()`,
    `(PIVOT t ON a USING sum(b))`,
    `(DESCRIBE t)`,
    `(SHOW TABLES)`,
    `a\u0000`,
    `\ufeff1`
  ])('refuses %j', (text) => {
    expect(isOk(text)).toBe(false)
  })

  it('lets aggregates through where groups are', () => {
    for (const text of [
      'count(*)',
      'sum(a) / count(DISTINCT b)',
      `string_agg(a, ', ' ORDER BY b DESC)`,
      'sum(a) FILTER (WHERE b > 1)',
      'quantile_cont(a, 0.5)'
    ]) {
      expect(inspectExpression(text, 'aggregate'), text).toMatchObject({ ok: true })
    }
    for (const text of [
      'sum(a) OVER ()',
      'reservoir_quantile(a, 0.5)',
      '(SELECT sum(a) FROM t)',
      'a ORDER BY b'
    ]) {
      expect(inspectExpression(text, 'aggregate').ok, text).toBe(false)
    }
  })

  it('finds parameters, but not in text or names, and binds them with their type', () => {
    const text = `a > $min AND b = '$min' AND "$min" = $to`
    expect(inspectExpression(text, 'scalar')).toEqual({ ok: true, parameters: ['min', 'to'] })
    expect(rewriteParameters(text, { min: { type: 'number' }, to: { type: 'date' } })).toBe(
      `a > CAST(getvariable('min') AS DOUBLE) AND b = '$min' AND "$min" = CAST(getvariable('to') AS DATE)`
    )
  })
})

describe('the gate of queries', () => {
  it.each([
    'SELECT * FROM input',
    'SELECT a, count(*) FILTER (WHERE b) AS n FROM input i GROUP BY ALL HAVING n > 1 ORDER BY a LIMIT 5',
    'WITH x AS (SELECT * FROM input), y AS MATERIALIZED (SELECT * FROM x) SELECT * FROM x JOIN y USING (a), input AS i',
    'SELECT * FROM (SELECT * FROM input) AS t(a, b) WHERE a IN (SELECT b FROM input)',
    'SELECT * EXCLUDE (a) REPLACE (lower(b) AS b) FROM "input" QUALIFY row_number() OVER (PARTITION BY a ORDER BY b) = 1',
    'SELECT extract(year FROM d), unnest(l) FROM input UNION ALL SELECT 1, 2',
    'SELECT * FROM input, unnest([1, 2]) AS u(x) WHERE a IS DISTINCT FROM b'
  ])('lets %s through', (text) => {
    expect(inspectQuery(text)).toMatchObject({ ok: true })
  })

  it.each([
    'SELECT * FROM other',
    'SELECT * FROM input, other',
    'SELECT * FROM input JOIN other USING (a)',
    'SELECT * FROM (input JOIN other USING (a))',
    'SELECT * FROM (((other)))',
    'SELECT (SELECT max(a) FROM other) FROM input',
    'SELECT * FROM input WHERE a IN (FROM other)',
    'WITH x AS (SELECT * FROM other) SELECT * FROM x',
    `SELECT * FROM 'file.csv'`,
    `SELECT * FROM "file.csv"`,
    `SELECT * FROM input, 'file.csv'`,
    `SELECT * FROM read_csv('file.csv')`,
    'SELECT * FROM duckdb_settings()',
    'SELECT * FROM information_schema.tables',
    'SELECT * FROM input.other',
    'SELECT random() FROM input',
    'WITH random AS (SELECT 1) SELECT 1, random() FROM input',
    'SELECT current_date FROM input',
    'SELECT * FROM input USING SAMPLE 10',
    'SELECT * FROM input TABLESAMPLE 10%',
    'SELECT * FROM input; DROP TABLE x',
    'FROM input',
    'TABLE input',
    'DELETE FROM input',
    'SELECT * FROM (DESCRIBE input)',
    'SELECT * FROM (PIVOT input ON a USING count(*))',
    `SELECT getvariable('x') FROM input`
  ])('refuses %s', (text) => {
    expect(inspectQuery(text).ok).toBe(false)
  })
})

describe('the lists of functions', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await startEngine()
  }, 60_000)

  it('name only functions that the engine has, none of which changes from call to call', () => {
    const known = engine.rows(
      `SELECT function_name AS name, bool_or(stability IS NOT NULL AND stability <> 'CONSISTENT') AS changes
       FROM duckdb_functions() GROUP BY ALL`
    )
    const changing = new Set(known.filter(({ changes }) => changes === true).map(({ name }) => name))
    // Syntax of the language rather than functions of a catalog.
    const syntax = [
      'coalesce',
      'if',
      'ifnull',
      'cast',
      'try_cast',
      'try',
      'extract',
      'substring',
      'trim',
      'position'
    ]
    const names = new Set([...known.map(({ name }) => name), ...syntax, 'overlay', 'row'])
    const listed = [...SCALAR_FUNCTIONS, ...AGGREGATE_FUNCTIONS]
    expect(listed.filter((name) => !names.has(name))).toEqual([])
    expect(listed.filter((name) => changing.has(name))).toEqual([])
    expect(WINDOW_FUNCTIONS.has('row_number')).toBe(true)
  })
})
