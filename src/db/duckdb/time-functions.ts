/** SQLite's name for the days since 4714 BC; made anew in each database. */
export const TIME_MACROS = [
  `CREATE MACRO julianday(t) AS 2440587.5 + epoch_ms(CAST(t AS TIMESTAMP)) / 86400000.0`
] as const
