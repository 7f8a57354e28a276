import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { format, resolveConfig } from 'prettier'

const path = join(import.meta.dirname, '../docs/crash.md')
const SECTIONS = [
  'Chromium',
  'Firefox',
  'Many tabs',
  'Work',
  'Simulated file system',
  'Planted faults'
] as const
export type Section = (typeof SECTIONS)[number]

const TITLE = `# What the crash harness found

Written by \`npm run crash\` itself, a section a run; \`crash/README.md\` says what is killed and what is demanded.`

/** The sections that stand there, by their title. */
const read = (): Map<string, string> => {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const parts = text.split(/^## /m).slice(1)
  return new Map(
    parts.map((part) => {
      const end = part.indexOf('\n')
      return [part.slice(0, end).trim(), part.slice(end).trim()]
    })
  )
}

/** Puts a run's report in the place of the last one of its kind. */
export const writeSection = async (section: Section, body: string): Promise<void> => {
  const sections = read().set(section, body)
  const written = SECTIONS.flatMap((title) => {
    const found = sections.get(title)
    return found === undefined ? [] : [`## ${title}\n\n${found}`]
  })
  const options = { ...(await resolveConfig(path)), parser: 'markdown' }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, await format([TITLE, ...written].join('\n\n'), options))
}

type Cell = string | number

export const toTable = (head: readonly string[], rows: readonly (readonly Cell[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(String).join(' | ')} |`).join('\n')

/** When, and on what machine. */
export const whereAndWhen = (): string =>
  `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${process.platform}, ${cpus().length} cores`

export const toCounts = (counts: Iterable<readonly [string, number]>): string =>
  [...counts]
    .toSorted(([, left], [, right]) => right - left)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
