export type StatusLook = { readonly word: string; readonly icon: string; readonly color: string }

/** Runs and steps share their words; a version's status has its own. */
const looks: Readonly<Record<string, StatusLook>> = {
  queued: { word: 'Queued', icon: 'i-lucide-circle-dashed', color: 'var(--status-queued)' },
  running: { word: 'Running', icon: 'i-lucide-loader-circle', color: 'var(--status-running)' },
  succeeded: { word: 'Succeeded', icon: 'i-lucide-circle-check', color: 'var(--status-succeeded)' },
  failed: { word: 'Failed', icon: 'i-lucide-circle-x', color: 'var(--status-failed)' },
  canceled: { word: 'Canceled', icon: 'i-lucide-circle-slash', color: 'var(--status-canceled)' },
  skipped: { word: 'Skipped', icon: 'i-lucide-circle-minus', color: 'var(--status-canceled)' }
}

/** How a status is shown; one that is not known is shown as it is written. */
export const statusLook = (status: string): StatusLook =>
  looks[status] ?? { word: status, icon: 'i-lucide-circle-question-mark', color: 'var(--status-queued)' }
