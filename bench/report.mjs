/** Writes what was measured: `docs/benchmarks.md` where all of it was, else a draft beside the build. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { chromium } from 'playwright'
import { format } from 'prettier'
import { root } from '../scripts/setup.mjs'
import { judgeTargets } from './targets.mjs'
import { median } from './turns.mjs'

const number = (value) => {
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('\n', ' ')

const table = (heads, rows) =>
  [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')

const nameOf = ({ peer, label }) => peer?.name ?? label

/** What stands in a peer's row: its median, all of its turns, and the ratio to the baseline's median. */
const toRow = (section, row) => {
  const base = section.rows.find((each) => nameOf(each) === (section.baseline ?? 'raw sqlite-wasm'))
  const isMeasured = (each) => each !== undefined && each.error === undefined && each.values?.length > 0
  const name = nameOf(row)
  if (!isMeasured(row))
    return [name, row.error === undefined ? '–' : 'failed', '–', row.error ?? row.note ?? '']
  const own = median(row.values)
  const times = isMeasured(base) ? `${number(own / median(base.values))} ×` : '–'
  const spread =
    row.values.length > 1 ? `${number(Math.min(...row.values))}–${number(Math.max(...row.values))}` : ''
  const durable = row.peer === undefined || row.peer.isDurable ? [] : ['not durable when commit() answers']
  return [
    name,
    number(own),
    times,
    [spread, ...durable, row.note ?? ''].filter((text) => text !== '').join('; ')
  ]
}

const sectionText = (section) => {
  const better = section.isHigherBetter ? 'more is better' : 'less is better'
  const baseline = section.baseline ?? 'raw sqlite-wasm'
  const heads = ['', `${section.unit} (${better})`, `to ${baseline}`, 'lowest–highest, remarks']
  return [
    `## ${section.title}`,
    ...(section.rows.length === 0
      ? []
      : [
          table(
            heads,
            section.rows.map((row) => toRow(section, row))
          )
        ]),
    ...(section.notes ?? [])
  ].join('\n\n')
}

const answerOf = ({ isMet }) => {
  if (isMet === undefined) return 'not measured'
  return isMet ? 'met' : '**missed**'
}

const machineText = async ({ executablePath }) => {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  const version = browser.version()
  await browser.close()
  const [cpu] = cpus()
  const memory = (totalmem() / 2 ** 30).toFixed(0)
  return `${cpus().length} × ${cpu?.model.trim() ?? 'an unknown processor'}, ${memory} GB, ${type()} ${release()}, Chromium ${version} (headless), Node ${process.versions.node}`
}

const peersText = ({ peers, place, nativeProblem }) =>
  table(
    ['', 'version', 'durable when it answers'],
    peers.map((peer) => {
      const said = place.versions.get(peer.id)
      const missing = peer.id === 'better-sqlite3' && nativeProblem !== undefined
      return [
        peer.name,
        missing ? `${peer.package()}: could not be built (${nativeProblem})` : peer.package(),
        [peer.durability, ...(said === undefined || said === 'ready' ? [] : [`it says: ${said}`])].join('; ')
      ]
    })
  )

const reportText = async (result) => {
  const { sections, failures, place, seconds } = result
  const targets = judgeTargets(sections, place.sizes)
  const command = ['npm run bench', ...process.argv.slice(2)].join(' ')
  return [
    '# Benchmarks',
    `Written by \`${command}\` on ${new Date().toISOString().slice(0, 10)}; it took ${Math.round(seconds / 60)} minutes. Do not edit: run it again.`,
    `Machine: ${await machineText(place)}.`,
    `Everything was measured in this one run: the peers took turns, each figure is the median of ${place.rounds} turns unless its row says otherwise, and every turn checked what it had written or loaded (count, ids in order, seq of the stream, a field of the payload), durable ones again after a reopening. A batch is one call. Ratios say more than absolute figures.`,
    '## Targets',
    table(
      ['', 'found', ''],
      targets.map((target) => [target.text, target.found, answerOf(target)])
    ),
    '## Who was measured',
    peersText(result),
    ...sections.map(sectionText),
    ...(failures.length === 0 ? [] : ['## What failed', failures.map((failure) => `- ${failure}`).join('\n')])
  ].join('\n\n')
}

/** @returns where it was written */
export const writeReport = async (result) => {
  const path = join(root, result.isWhole ? 'docs/benchmarks.md' : 'bench/.cache/benchmarks.md')
  const text = await format(await reportText(result), { parser: 'markdown', printWidth: 110 })
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  console.log(text)
  console.log(`Written to ${relative(root, path)}`)
}
