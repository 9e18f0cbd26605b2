// Made of js-runtime/src/node-timers.ts by `cargo xtask generate`.
// node:timers/promises: https://nodejs.org/api/timers.html#timers-promises-api
((ops     , intrinsics            ) => {
  const { asyncIteratorPrototype, Error, setPrototypeOf } = intrinsics;
  const { coded, define, hidden, wrongType }             = ops.library_value("nodeShared");
  const { deferred, dictionary } = ops.library_value("webidl");
  const startTimer = ops.library_value("setTimeout"), startNow = ops.library_value("setImmediate"), stopTimer = ops.library_value("clearTimeout");
  const signals = ()          => ops.library_value("signals");

  function signalOf(options         )                          {
    const { signal } = dictionary(options, "the options");
    if (signal !== undefined && !signals().isSignal(signal)) throw wrongType("options.signal", "an instance of AbortSignal", signal);
    return signal;
  }
  function aborted(signal             ) {
    const error      = coded(new Error("The operation was aborted"), "ABORT_ERR");
    hidden(error, "name", "AbortError");
    hidden(error, "cause", signals().stateOf(signal).reason);
    return error;
  }

  async function after   (start                              , value   , options         )             {
    const signal = signalOf(options);
    if (signal !== undefined && signals().stateOf(signal).aborted) throw aborted(signal);
    const { promise, resolve, reject } = deferred   ();
    const id = start(() => {
      if (signal !== undefined) signals().ignore(signal, abort);
      resolve(value);
    });
    const abort = () => {
      stopTimer(id);
      reject(aborted(signal               ));
    };
    if (signal !== undefined) signals().listen(signal, abort);
    return await promise;
  }

  async function setTimeout   (ms          = 1, value    , options          = undefined) {
    if (typeof ms !== "number") throw wrongType("delay", "of type number", ms);
    return await after((fire) => startTimer(fire, ms), value, options);
  }
  const setImmediate =    (value    , options          = undefined) => after((fire) => startNow(fire), value, options);

  class Interval {
    #ms;        ;
    #value;        ;
    #options;        ;
    #over = false;
    #stop;                         ;
    constructor(ms         , value         , options         ) {
      signalOf(options);
      this.#ms = ms;
      this.#value = value;
      this.#options = options;
    }
    async next() {
      if (this.#over) return { value: undefined, done: true };
      try {
        await after((fire) => {
          const id = startTimer(fire, this.#ms);
          this.#stop = () => {
            stopTimer(id);
            fire();
          };
          return id;
        }, undefined, this.#options);
      } catch (error) {
        this.#over = true;
        throw error;
      }
      return this.#over ? { value: undefined, done: true } : { value: this.#value, done: false };
    }
    async return() {
      this.#over = true;
      if (this.#stop !== undefined) this.#stop();
      return { value: undefined, done: true };
    }
  }
  setPrototypeOf(Interval.prototype, asyncIteratorPrototype);

  const timers = define({}, {
    __proto__: null,
    setTimeout,
    setImmediate,
    setInterval: (ms          = 1, value          = undefined, options          = undefined) => new Interval(ms, value, options),
    scheduler: { wait: (ms        , options          = undefined) => setTimeout(ms, undefined, options), yield: () => setImmediate() },
  });
  return { "node:timers/promises": intrinsics.freeze(timers) };
})
