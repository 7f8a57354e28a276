/** A name that is not taken: `Filter`, then `Filter 2`, `Filter 3`. */
export const freshName = (wanted: string, taken: ReadonlySet<string>): string => {
  if (!taken.has(wanted)) return wanted
  let number = 2
  while (taken.has(`${wanted} ${number}`)) number += 1
  return `${wanted} ${number}`
}

/** A node id made of a name: `Late only` becomes `late_only`, then `late_only_2`; at most 64 characters. */
export const freshNodeId = (name: string, taken: ReadonlySet<string>): string => {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, 56)
  const base = /^[a-z]/.test(slug) ? slug : `node_${slug}`.replace(/_$/, '')
  if (!taken.has(base)) return base
  let number = 2
  while (taken.has(`${base}_${number}`)) number += 1
  return `${base}_${number}`
}
