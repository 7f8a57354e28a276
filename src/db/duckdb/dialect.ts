/** Text and comments, which stay as they are; or a column, the arrow and a path. */
const PARTS = /'(?:[^']|'')*'|--[^\n]*|\/\*[^]*?\*\/|((?:\w+\.)?\w+)\s*->>\s*('(?:[^']|'')*')/g

/**
 * The one thing that the two engines read differently in FlowForge's own SQL: SQLite's `->>` binds before all else,
 * DuckDB's after AND. Parentheses say what is meant.
 */
export const withArrowsFirst = (sql: string): string =>
  sql.replaceAll(PARTS, (found: string, column?: string, path?: string) =>
    column === undefined ? found : `(${column} ->> ${String(path)})`
  )
