import Papa from 'papaparse'

/** A file's rows as objects, numbers as numbers. */
export const parseCsv = (file) =>
  new Promise((resolve, reject) => {
    Papa.parse(file, {
      header: true,
      dynamicTyping: true,
      skipEmptyLines: true,
      complete: ({ data }) => resolve(data),
      error: reject
    })
  })
