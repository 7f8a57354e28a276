import ui from '@nuxt/ui/vue-plugin'
import { createApp } from 'vue'
import App from './App.vue'
import './main.css'
import { createAppRouter } from './router.ts'
import { provideWorkerClient } from './useWorkerClient.ts'
import { startWorker } from './worker-client.ts'

// First of all: the worker opens storage while the page draws.
const client = startWorker()
window.db = client.db
window.flowforge = client.flowforge

const app = createApp(App)
provideWorkerClient(app, client)
app.use(createAppRouter())
app.use(ui)
app.mount('#app')
