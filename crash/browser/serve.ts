import { createServer } from 'node:http'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { extname, join, normalize } from 'node:path'
import { build } from 'vite'
import { plantFault, type Fault } from '../faults/fault.ts'
import { duckdbBlocking } from '../../scripts/duckdb-blocking.ts'

const folder = join(import.meta.dirname, 'page')

/** Builds the page of the harness with the program's own worker in it, with a fault planted if one is given. */
export const buildPage = async (outDir: string, fault?: Fault): Promise<void> => {
  const faults = fault === undefined ? [] : [plantFault(fault)]
  await build({
    configFile: false,
    logLevel: 'error',
    root: folder,
    base: '/',
    publicDir: false,
    define: { FLOWFORGE_BUILT_AT: JSON.stringify('2026-01-01T00:00:00.000Z') },
    resolve: { alias: duckdbBlocking },
    worker: { format: 'es', plugins: () => faults },
    build: { outDir, emptyOutDir: true, target: 'es2023', minify: false, assetsInlineLimit: 0 }
  })
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm'
}

/** Serves a built page under any name of this machine, each an origin of its own, and hears what pages tell. */
export const servePage = async (args: {
  dist: string
  files: Readonly<Record<string, Buffer>>
  onTold: (told: unknown) => void
}): Promise<{ port: number; stop: () => Promise<void> }> => {
  const server = createServer((request, response) => {
    const path = new URL(String(request.url), 'http://localhost').pathname
    if (request.method === 'POST') {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        args.onTold(JSON.parse(Buffer.concat(parts).toString('utf8')))
        response.end()
      })
      return
    }
    const kept = args.files[path]
    if (kept !== undefined) {
      response.end(kept)
      return
    }
    const file = join(args.dist, normalize(path === '/' ? '/index.html' : path))
    if (!existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end()
      return
    }
    // What is built has its hash in its name.
    const caching = file.endsWith('.html') ? 'no-store' : 'max-age=31536000, immutable'
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'cache-control': caching
    })
    createReadStream(file).pipe(response)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server listens on no port.')
  return {
    port: address.port,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
