import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { DbContext } from '../ports.ts'
import { workflowRow, type OpenContext } from './store-contract.ts'

/** Something to await that is no call on the database. */
const elsewhere = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })

const signal = (): { readonly promise: Promise<void>; readonly resolve: () => void } => {
  let resolve = (): void => undefined
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** What every adapter's transactions do. */
export const describeTransactions = (title: string, open: OpenContext): void => {
  describe(`${title}: transactions`, () => {
    let context: DbContext
    beforeEach(async () => {
      context = await open()
    })
    afterEach(async () => {
      await context.close()
    })
    const append = (on: DbContext, value: unknown, aggregateId = 'a:1') =>
      on.eventStore.append({ aggregateId, eventType: 'Counted', payload: { value } })
    const values = async (aggregateId = 'a:1') =>
      (await context.eventStore.load({ aggregateId })).map((event) => event.payload['value'])
    const save = (on: DbContext, id: string) =>
      on.projectionStore.upsert({ table: 'workflows', rows: [workflowRow(id)] })
    const workflows = async () =>
      (await context.projectionStore.query({ sql: 'SELECT id FROM workflows ORDER BY id' })).map(
        (row) => row['id']
      )

    test('the document’s own use: the outer context inside the function', async () => {
      await context.tx.runInTransaction(async () => {
        await append(context, 1)
        await save(context, 'w1')
      })
      expect(await values()).toEqual([1])
      expect(await workflows()).toEqual(['w1'])
    })

    test('what throws leaves nothing behind, after any number of awaits', async () => {
      const attempt = context.tx.runInTransaction(async () => {
        await append(context, 1)
        await save(context, 'w1')
        await append(context, 2)
        throw new Error('changed my mind')
      })
      await expect(attempt).rejects.toThrow('changed my mind')
      expect(await values()).toEqual([])
      expect(await workflows()).toEqual([])
    })

    test('nobody else’s statement gets into a transaction that awaits', async () => {
      const order: string[] = []
      const first = context.tx.runInTransaction(async (tx) => {
        await append(tx, 'in 1')
        await elsewhere()
        await append(tx, 'in 2')
        order.push('transaction')
        throw new Error('rolled back')
      })
      await elsewhere()
      const other = append(context, 'outside').then(() => order.push('outside'))
      const second = context.tx.runInTransaction(async () => {
        await append(context, 'second 1')
        await append(context, 'second 2')
      })
      await expect(first).rejects.toThrow('rolled back')
      await Promise.all([other, second])
      expect(order).toEqual(['transaction', 'outside'])
      expect(await values()).toEqual(['outside', 'second 1', 'second 2'])
    })

    test('two that start at once run one after the other, in order', async () => {
      const both = ['a', 'b'].map((name) =>
        context.tx.runInTransaction(async () => {
          await append(context, `${name}1`)
          await append(context, `${name}2`)
          await append(context, `${name}3`)
        })
      )
      await Promise.all(both)
      expect(await values()).toEqual(['a1', 'a2', 'a3', 'b1', 'b2', 'b3'])
    })

    test('nested ones are savepoints: the inner can fail alone', async () => {
      await context.tx.runInTransaction(async (tx) => {
        await append(context, 1)
        const inner = context.tx.runInTransaction(async () => {
          await append(context, 2)
          throw new Error('inner')
        })
        await expect(inner).rejects.toThrow('inner')
        await tx.tx.runInTransaction(async () => {
          await append(context, 3)
        })
        await append(context, 4)
      })
      expect(await values()).toEqual([1, 3, 4])
    })

    test('nested ones that run at once do not mix', async () => {
      await context.tx.runInTransaction(async (tx) => {
        const fails = tx.tx.runInTransaction(async (inner) => {
          await append(inner, 'x1')
          await elsewhere()
          await append(inner, 'x2')
          throw new Error('inner')
        })
        const works = tx.tx.runInTransaction(async (inner) => {
          await append(inner, 'y1')
          await elsewhere()
          await append(inner, 'y2')
        })
        await expect(fails).rejects.toThrow('inner')
        await works
      })
      expect(await values()).toEqual(['y1', 'y2'])
    })

    test('a failed statement inside leaves the transaction usable', async () => {
      await context.tx.runInTransaction(async (tx) => {
        await append(context, 1)
        const bad = context.eventStore.append({
          aggregateId: 'a:1',
          eventType: 'X',
          payload: {},
          expectedSeq: 9
        })
        await expect(bad).rejects.toMatchObject({ code: 'CONFLICT' })
        await append(tx, 2)
      })
      expect(await values()).toEqual([1, 2])
    })

    test('several calls at once inside belong to it', async () => {
      const attempt = context.tx.runInTransaction(async (tx) => {
        await Promise.all([append(context, 1), append(context, 2), save(context, 'w1')])
        await append(tx, 3)
        throw new Error('no')
      })
      await expect(attempt).rejects.toThrow('no')
      expect(await values()).toEqual([])
      expect(await workflows()).toEqual([])
    })

    test('a failed call that is caught leads on inside', async () => {
      const bad = { aggregateId: 'a:1', eventType: 'X', payload: {}, expectedSeq: 9 }
      await context.tx.runInTransaction(async () => {
        await context.eventStore.append(bad).catch(() => undefined)
        await append(context, 1)
        try {
          await context.eventStore.append(bad)
        } catch {
          await append(context, 2)
        }
      })
      expect(await values()).toEqual([1, 2])
    })

    test('a stranger whom the transaction wakes is not part of it', async () => {
      const started = signal()
      const gate = signal()
      const first = context.tx.runInTransaction(async () => {
        await append(context, 'inside')
        started.resolve()
        await gate.promise
        throw new Error('rolled back')
      })
      const stranger = started.promise.then(() => append(context, 'stranger'))
      await started.promise
      await elsewhere()
      gate.resolve()
      await expect(first).rejects.toThrow('rolled back')
      await stranger
      expect(await values()).toEqual(['stranger'])
    })

    test('three nested at once do not mix', async () => {
      await context.tx.runInTransaction(async (tx) => {
        const nested = [1, 2, 3].map((which) =>
          tx.tx.runInTransaction(async (inner) => {
            await append(inner, `${which}a`)
            await elsewhere()
            if (which === 2) throw new Error('the second')
            await append(inner, `${which}b`)
          })
        )
        const answers = await Promise.allSettled(nested)
        expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      })
      expect(await values()).toEqual(['1a', '1b', '3a', '3b'])
    })

    test('a commit listener that throws harms nobody', async () => {
      const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined)
      const told: string[] = []
      context.onCommit(() => {
        throw new Error('the listener')
      })
      context.onCommit(({ tables }) => told.push(...tables))
      await context.tx.runInTransaction((tx) => append(tx, 1))
      await append(context, 2)
      expect(await values()).toEqual([1, 2])
      expect(told).toEqual(['events', 'events'])
      expect(logged).toHaveBeenCalledTimes(2)
      logged.mockRestore()
    })

    test('a context is of no use once its transaction has ended', async () => {
      const kept = await context.tx.runInTransaction((tx) => tx)
      await expect(append(kept, 1)).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
      expect(await values()).toEqual([])
    })

    test('a read inside a transaction sees what it wrote, and may be ended without harm to it', async () => {
      await context.tx.runInTransaction(async (tx) => {
        await tx.projectionStore.upsert({ table: 'workflows', rows: [workflowRow('w2')] })
        const endless =
          'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n'
        await expect(tx.projectionStore.read({ sql: endless, timeoutMs: 50 })).rejects.toMatchObject({
          code: 'TIMEOUT'
        })
        expect((await tx.projectionStore.read({ sql: 'SELECT count(*) AS n FROM workflows' })).rows).toEqual([
          { n: 1 }
        ])
      })
      const count = await context.projectionStore.read({ sql: 'SELECT count(*) AS n FROM workflows' })
      expect(count.rows).toEqual([{ n: 1 }])
    })

    test('a commit tells the tables it wrote, a rollback none', async () => {
      const told: string[][] = []
      const stop = context.onCommit(({ tables }) => told.push([...tables].toSorted()))
      await save(context, 'w1')
      await append(context, 1)
      await context.projectionStore.truncate({ table: 'workflows' })
      const attempt = context.tx.runInTransaction(async (tx) => {
        await save(tx, 'w2')
        throw new Error('no')
      })
      await expect(attempt).rejects.toThrow('no')
      await context.projectionStore.query({ sql: 'SELECT * FROM workflows' })
      stop()
      await save(context, 'w3')
      expect(told).toEqual([['workflows'], ['events'], ['workflows']])
    })
  })
}
