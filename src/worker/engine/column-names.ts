/** Names that can be told apart, however the engine compares them, and what was changed for that. */
export const tellApart = (
  written: readonly string[]
): { readonly names: readonly string[]; readonly notes: readonly string[] } => {
  const taken = new Set<string>()
  const notes: string[] = []
  const names = written.map((raw, index) => {
    const base = raw.trim() === '' ? `column${index}` : raw.trim()
    let name = base
    for (let number = 1; taken.has(name.toLowerCase()); number += 1) name = `${base}_${number}`
    taken.add(name.toLowerCase())
    if (raw.trim() === '') notes.push(`Column ${index + 1} has no name; it is called "${name}".`)
    else if (name !== raw.trim())
      notes.push(`Column ${index + 1}, "${raw}", is called "${name}" to tell it apart.`)
    return name
  })
  return { names, notes }
}
