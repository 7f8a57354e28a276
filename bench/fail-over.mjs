/** What is done when the leading tab is closed: how long until the first append is acknowledged in another one. */
const openTab = async (browser, appUrl) => {
  const page = await browser.newPage()
  await page.goto(appUrl)
  await page.waitForFunction(() => 'flowforge' in window)
  await page.evaluate(() => window.flowforge.status())
  return page
}

const leaderAmong = async (tabs) => {
  const roles = await Promise.all(
    tabs.map((page) => page.evaluate(async () => (await window.flowforge.status()).role))
  )
  const at = roles.indexOf('leader')
  if (at === -1 || roles.lastIndexOf('leader') !== at) throw new Error(`the tabs are ${roles.join(', ')}`)
  return tabs[at]
}

/**
 * A tab that follows appends all the while, and notes when each is acknowledged: the gap over the leader's end is the
 * fail-over. Both ends are read on the machine's clock, which all tabs share.
 */
const timeOne = async (tabs, round) => {
  const leader = await leaderAmong(tabs)
  const other = tabs.find((page) => page !== leader)
  await other.evaluate((stream) => {
    window.acknowledged = []
    window.isOver = false
    window.appending = (async () => {
      for (let index = 0; !window.isOver; index += 1) {
        await window.db.appendEvent({ aggregateId: stream, eventType: 'Measured', payload: { index } })
        window.acknowledged.push(performance.timeOrigin + performance.now())
      }
    })()
  }, `fail-over:${round}`)
  await other.waitForFunction(() => window.acknowledged.length > 3, undefined, { polling: 20 })
  // Its worker dies with it; the clock starts when the page has said that it goes.
  const goes = new Promise((resolve) => leader.once('close', resolve))
  const [killed] = await Promise.all([Date.now(), leader.close(), goes])
  await other.waitForFunction((at) => window.acknowledged.some((time) => time > at + 1_000), killed, {
    polling: 20
  })
  return other.evaluate(
    async ([stream, at]) => {
      window.isOver = true
      await window.appending
      const events = await window.db.loadEvents({ aggregateId: stream })
      const isWhole = events.every(({ seq, payload }, index) => seq === index + 1 && payload.index === index)
      if (!isWhole || events.length !== window.acknowledged.length)
        throw new Error(`${events.length} events stand for ${window.acknowledged.length} acknowledged ones`)
      // The longest pause that ends after the kill.
      const pauses = window.acknowledged
        .map((time, index) => ({ time, pause: index === 0 ? 0 : time - window.acknowledged[index - 1] }))
        .filter(({ time }) => time > at)
      return Math.max(...pauses.map(({ pause }) => pause))
    },
    [`fail-over:${round}`, killed]
  )
}

/** 1,000 appends at once in one tab, until another one's subscription has heard the last; in ms. */
const timeHeard = async (tabs, round, count) => {
  const leader = await leaderAmong(tabs)
  const other = tabs.find((page) => page !== leader)
  const stream = `heard:${round}`
  await other.evaluate(
    ([aggregateId, total]) => {
      const seqs = []
      window.heardAll = new Promise((resolve) => {
        window.db.subscribe({ aggregateType: 'heard' }, (event) => {
          if (event.aggregateId !== aggregateId) return
          seqs.push(event.seq)
          if (seqs.length < total) return
          resolve({
            at: performance.timeOrigin + performance.now(),
            isWhole: seqs.every((seq, i) => seq === i + 1)
          })
        })
      })
    },
    [stream, count]
  )
  await other.evaluate(() => window.flowforge.status())
  const started = await leader.evaluate(
    async ([aggregateId, total]) => {
      const at = performance.timeOrigin + performance.now()
      await Promise.all(
        Array.from({ length: total }, (_, index) =>
          window.db.appendEvent({ aggregateId, eventType: 'Measured', payload: { index } })
        )
      )
      return at
    },
    [stream, count]
  )
  const { at, isWhole } = await other.evaluate(() => window.heardAll)
  if (!isWhole) throw new Error(`${stream} was heard with a gap or a double`)
  return at - started
}

/**
 * @returns `failOver`: one a kill, in ms; `heard`: one a round, in ms
 */
export const measureFailOver = async ({
  browser,
  appUrl,
  kills = 20,
  tabs: count = 8,
  rounds = 5,
  atOnce = 1_000
}) => {
  const tabs = []
  while (tabs.length < count) tabs.push(await openTab(browser, appUrl))
  const heard = []
  for (let round = 0; round < rounds; round += 1) heard.push(await timeHeard(tabs, round, atOnce))
  const failOver = []
  for (let round = 0; round < kills; round += 1) {
    failOver.push(await timeOne(tabs, round))
    for (const page of tabs.filter((each) => each.isClosed())) tabs.splice(tabs.indexOf(page), 1)
    tabs.push(await openTab(browser, appUrl))
  }
  for (const page of tabs) await page.close()
  return { failOver, heard }
}
