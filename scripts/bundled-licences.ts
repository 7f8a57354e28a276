import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { Plugin } from 'vite'

const Manifest = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string().optional(),
  author: z.union([z.string(), z.object({ name: z.string() })]).optional()
})

/** The folder of the package that a module belongs to; nested folders may hold a nameless `package.json`. */
const packageOf = (moduleId: string): string | undefined => {
  const path = moduleId.replace(/^\0/, '').split('?')[0] ?? ''
  const at = path.lastIndexOf('/node_modules/')
  if (at === -1) return undefined
  const [scope = '', name = ''] = path.slice(at + '/node_modules/'.length).split('/')
  const folder = join(path.slice(0, at), 'node_modules', scope, scope.startsWith('@') ? name : '')
  return existsSync(join(folder, 'package.json')) ? folder : undefined
}

const licenceText = (folder: string): string => {
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)/i.test(name))
  return file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim()
}

const entry = (folder: string): string => {
  const manifest = Manifest.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')))
  const author = typeof manifest.author === 'string' ? manifest.author : manifest.author?.name
  const heading = `${manifest.name} ${manifest.version} (${manifest.license ?? 'see its text'})`
  const text = licenceText(folder)
  return [heading, '='.repeat(heading.length), text === '' ? `By ${author ?? 'its authors'}.` : text].join(
    '\n'
  )
}

/**
 * Writes `licences.txt`: every package whose modules are in the bundle, with its licence. `collect` goes into the
 * workers' builds, `write` into the page's, which ends after them.
 */
export const bundledLicences = (): { collect: () => Plugin; write: () => Plugin } => {
  const packages = new Set<string>()
  const gather = (ids: Iterable<string>): void => {
    for (const id of ids) {
      const folder = packageOf(id)
      if (folder !== undefined) packages.add(folder)
    }
  }
  return {
    collect: () => ({
      name: 'flowforge:collect-licences',
      apply: 'build',
      buildEnd() {
        gather(this.getModuleIds())
      }
    }),
    write: () => ({
      name: 'flowforge:licences',
      apply: 'build',
      generateBundle() {
        gather(this.getModuleIds())
        const own = readFileSync(join(dirname(import.meta.dirname), 'LICENSE'), 'utf8').trim()
        const source = [`FlowForge\n=========\n${own}`, ...[...packages].map(entry).toSorted()].join('\n\n\n')
        this.emitFile({ type: 'asset', fileName: 'licences.txt', source: `${source}\n` })
      }
    })
  }
}
