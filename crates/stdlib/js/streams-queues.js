// Made of js-runtime/src/streams-queues.ts by `cargo xtask generate`.
// Queues with sizes and queuing strategies: https://streams.spec.whatwg.org/#qs
((ops     , intrinsics            ) => {
  const { apply, Number, RangeError, TypeError } = intrinsics;
  const { callback, deferred, defineInterface, dictionary, required } = ops.library_value("webidl");

  const queue =    ()                 => ({ first: undefined, last: undefined, length: 0, total: 0 });

  function enqueue   (queue                , value   , size        )       {
    if (!(size >= 0 && size !== Infinity)) throw new RangeError("the size of a chunk is no number from 0: " + size);
    const node                     = { value, size, next: undefined };
    if (queue.last === undefined) queue.first = node;
    else queue.last.next = node;
    queue.last = node;
    queue.length++;
    queue.total += size;
  }

  function dequeue   (queue                )    {
    const node = queue.first ;
    queue.first = node.next;
    if (queue.first === undefined) queue.last = undefined;
    queue.length--;
    queue.total -= node.size;
    // Sums of what is no integer do not come out.
    if (queue.total < 0) queue.total = 0;
    return node.value;
  }

  function clear   (queue                )       {
    queue.first = queue.last = undefined;
    queue.length = queue.total = 0;
  }

  /** Lets `most` through at a time; who waits for a turn waits here, where it is counted. Each turn is ended by `done`. */
  function gate(most        )                                          {
    let running = 0;
    const waiting = queue            ();
    return {
      async turn() {
        if (running < most) {
          running++;
          return;
        }
        const { promise, resolve } = deferred      ();
        enqueue(waiting, resolve              , 0);
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
  function strategy(value         , what        )                 {
    const { highWaterMark, size } = dictionary(value, what);
    return { highWaterMark: highWaterMark === undefined ? undefined : Number(highWaterMark), size: callback(size, "size of " + what) };
  }

  function highWaterMark(strategy                , otherwise        )         {
    const mark = strategy.highWaterMark;
    if (mark === undefined) return otherwise;
    if (!(mark >= 0)) throw new RangeError("the highWaterMark of a stream is no number from 0: " + mark);
    return mark;
  }

  function sizeOf(strategy                )                             {
    const { size } = strategy;
    return size === undefined ? () => 1 : (chunk) => Number(apply(size, undefined, [chunk]));
  }

  const mark = (init         , name        )         => {
    const { highWaterMark } = dictionary(init, "the argument of " + name);
    if (highWaterMark === undefined) throw new TypeError("the argument of " + name + " has no highWaterMark");
    return Number(highWaterMark);
  };
  const byteLength = { size: (chunk     ) => chunk.byteLength }.size;
  const count = { size: () => 1 }.size;

  class ByteLengthQueuingStrategy {
    #mark;       ;
    constructor(init                     ) {
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
    #mark;       ;
    constructor(init                     ) {
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
})
