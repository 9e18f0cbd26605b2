// Queues with sizes and queuing strategies: https://streams.spec.whatwg.org/#qs
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { apply, Number, RangeError, TypeError } = intrinsics;
  const { callback, deferred, defineInterface, dictionary, required } = ops.library_value("webidl");

  const queue = <T>(): StreamQueue<T> => ({ first: undefined, last: undefined, length: 0, total: 0 });

  function enqueue<T>(queue: StreamQueue<T>, value: T, size: number): void {
    if (!(size >= 0 && size !== Infinity)) throw new RangeError("the size of a chunk is no number from 0: " + size);
    const node: StreamQueueNode<T> = { value, size, next: undefined };
    if (queue.last === undefined) queue.first = node;
    else queue.last.next = node;
    queue.last = node;
    queue.length++;
    queue.total += size;
  }

  function dequeue<T>(queue: StreamQueue<T>): T {
    const node = queue.first!;
    queue.first = node.next;
    if (queue.first === undefined) queue.last = undefined;
    queue.length--;
    queue.total -= node.size;
    // Sums of what is no integer do not come out.
    if (queue.total < 0) queue.total = 0;
    return node.value;
  }

  function clear<T>(queue: StreamQueue<T>): void {
    queue.first = queue.last = undefined;
    queue.length = queue.total = 0;
  }

  /** Lets `most` through at a time; who waits for a turn waits here, where it is counted. Each turn is ended by `done`. */
  function gate(most: number): { turn(): Promise<void>; done(): void } {
    let running = 0;
    const waiting = queue<() => void>();
    return {
      async turn() {
        if (running < most) {
          running++;
          return;
        }
        const { promise, resolve } = deferred<void>();
        enqueue(waiting, resolve as () => void, 0);
        await promise;
      },
      done() {
        // The turn goes over to whoever waits longest; nobody comes between.
        if (waiting.length > 0) dequeue(waiting)();
        else running--;
      },
    };
  }

  /** What a stream's second argument says, read once. */
  function strategy(value: unknown, what: string): StreamStrategy {
    const { highWaterMark, size } = dictionary(value, what);
    return { highWaterMark: highWaterMark === undefined ? undefined : Number(highWaterMark), size: callback(size, "size of " + what) };
  }

  function highWaterMark(strategy: StreamStrategy, otherwise: number): number {
    const mark = strategy.highWaterMark;
    if (mark === undefined) return otherwise;
    if (!(mark >= 0)) throw new RangeError("the highWaterMark of a stream is no number from 0: " + mark);
    return mark;
  }

  function sizeOf(strategy: StreamStrategy): (chunk: unknown) => number {
    const { size } = strategy;
    return size === undefined ? () => 1 : (chunk) => Number(apply(size, undefined, [chunk]));
  }

  const mark = (init: unknown, name: string): number => {
    const { highWaterMark } = dictionary(init, "the argument of " + name);
    if (highWaterMark === undefined) throw new TypeError("the argument of " + name + " has no highWaterMark");
    return Number(highWaterMark);
  };
  const byteLength = { size: (chunk: any) => chunk.byteLength }.size;
  const count = { size: () => 1 }.size;

  class ByteLengthQueuingStrategy {
    #mark: number;
    constructor(init: QueuingStrategyInit) {
      required(1, arguments.length, "ByteLengthQueuingStrategy");
      this.#mark = mark(init, "ByteLengthQueuingStrategy");
    }
    get highWaterMark() {
      return this.#mark;
    }
    get size() {
      this.#mark;
      return byteLength;
    }
  }

  class CountQueuingStrategy {
    #mark: number;
    constructor(init: QueuingStrategyInit) {
      required(1, arguments.length, "CountQueuingStrategy");
      this.#mark = mark(init, "CountQueuingStrategy");
    }
    get highWaterMark() {
      return this.#mark;
    }
    get size() {
      this.#mark;
      return count;
    }
  }

  defineInterface(ByteLengthQueuingStrategy, "ByteLengthQueuingStrategy");
  defineInterface(CountQueuingStrategy, "CountQueuingStrategy");
  return {
    ByteLengthQueuingStrategy, CountQueuingStrategy,
    queues: { __proto__: null, clear, dequeue, enqueue, gate, highWaterMark, queue, sizeOf, strategy },
  };
};
