/** `npm start`: installs what is missing, builds, and serves the built app. */
import { spawn } from 'node:child_process'
import { buildApp, checkNode, installPackages, root } from './setup.mjs'

checkNode()
installPackages()
buildApp()

const server = spawn('npx', ['vite', 'preview', '--host', 'localhost', '--port', '4173', '--strictPort'], {
  cwd: root,
  stdio: 'inherit'
})
console.log('FlowForge is on http://localhost:4173')
server.on('exit', (code) => process.exit(code ?? 0))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.kill(signal))
