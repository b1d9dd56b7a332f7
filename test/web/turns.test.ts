/** One piece of work at a time. */

import { describe, expect, test } from "vitest";
import { Interrupted } from "../../src/errors.js";
import { Turns } from "../../src/web/turns.js";

describe("turns", () => {
  test("are taken in the order in which they were asked for", async () => {
    const turns = new Turns(5);
    const order: number[] = [];
    const work = async (number: number) => {
      const done = await turns.take();
      order.push(number);
      await new Promise(setImmediate);
      done();
    };
    await Promise.all([1, 2, 3].map(work));
    expect(order).toEqual([1, 2, 3]);
    expect(turns.ahead).toBe(0);
  });

  test("giving a turn back twice frees it once", async () => {
    const turns = new Turns(5);
    const first = await turns.take();
    const second = turns.take();
    first();
    first();
    const release = await second;
    expect(turns.ahead).toBe(1);
    release();
    expect(turns.ahead).toBe(0);
  });

  test("who leaves the line is passed over", async () => {
    const turns = new Turns(2);
    const first = await turns.take();
    const gone = new AbortController();
    const left = turns.take(gone.signal);
    const third = turns.take();
    expect([turns.full, turns.ahead]).toEqual([true, 3]);
    gone.abort();
    await expect(left).rejects.toThrow(Interrupted);
    expect([turns.full, turns.ahead]).toEqual([false, 2]);
    first();
    (await third)();
    await expect(turns.take(gone.signal)).rejects.toThrow(Interrupted);
    expect(turns.ahead).toBe(0);
  });
});
