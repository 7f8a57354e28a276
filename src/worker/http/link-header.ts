const LINK = /<([^>]*)>((?:\s*;\s*[^\s=;,"]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]*))?)*)/g
const PARAMETER = /;\s*([^\s=;,"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*))/g

/** The target that a `Link` header (RFC 8288) gives for `rel=next`; null where it gives none. */
export const nextLink = (header: string | null): string | null => {
  for (const [, target = '', parameters = ''] of (header ?? '').matchAll(LINK)) {
    // A link's first `rel` is the one that counts (3.3).
    const rel = Array.from(parameters.matchAll(PARAMETER)).find(([, name]) => name?.toLowerCase() === 'rel')
    const relations = (rel?.[2] ?? rel?.[3] ?? '').toLowerCase().split(/\s+/)
    if (relations.includes('next')) return target
  }
  return null
}
