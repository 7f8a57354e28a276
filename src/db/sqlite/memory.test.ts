import { archivingContext } from '../contract/archiving-context.ts'
import { describeBlobStore, describeBlobTransactions } from '../contract/blob-store-contract.ts'
import { describeConcurrentAppends } from '../contract/concurrent-appends-contract.ts'
import { describeEventStore } from '../contract/event-store-contract.ts'
import { describeProjectionStore } from '../contract/projection-store-contract.ts'
import { describeSqliteFullDisk, describeSqliteLimits } from '../contract/sqlite-contract.ts'
import { describeRebuilds } from '../contract/rebuild-contract.ts'
import { testWorld } from '../contract/store-contract.ts'
import { describeTransactions } from '../contract/transaction-contract.ts'
import { openDbContext } from '../index.ts'

const open = () => openDbContext({ storage: 'memory', ...testWorld() })
const openArchiving = () => archivingContext(open())

describeEventStore('SQLite in memory', open)
describeConcurrentAppends('SQLite in memory', open)
describeEventStore('SQLite in memory, all streams archived', openArchiving)
describeConcurrentAppends('SQLite in memory, all streams archived', openArchiving)
describeProjectionStore('SQLite in memory', open)
describeRebuilds('SQLite in memory', open)
describeTransactions('SQLite in memory', open)
describeBlobStore('SQLite in memory', open)
describeBlobTransactions('SQLite in memory', open)
describeSqliteLimits('SQLite in memory', open)
describeSqliteFullDisk('SQLite in memory', open)
