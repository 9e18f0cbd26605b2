// Made of js-runtime/src/node-events.ts by `cargo xtask generate`.
// node:events: https://nodejs.org/api/events.html
((ops     , intrinsics            ) => {
  const { apply, asArray, asyncIteratorPrototype, defineProperty, Error, isArray, list, mapDelete, mapForEach, mapGet, mapSet, Map, Number, push, setPrototypeOf, WeakMap, weakMapGet, weakMapSet } = intrinsics;
  const { callback, coded, define, hidden, outOfRange, wrongType }             = ops.library_value("nodeShared");
  const { deferred, dictionary, isObject, rejected } = ops.library_value("webidl");
  const signals = ()          => ops.library_value("signals");
  const { inspect } = ops.library_value("inspector");

  ;






  ;




  const errorMonitor = intrinsics.Symbol("events.errorMonitor");
  const states = new WeakMap               ();
  function stateOf(emitter         )        {
    if (!isObject(emitter)) throw wrongType("emitter", "an instance of EventEmitter", emitter);
    let state = weakMapGet(states, emitter);
    if (state === undefined) {
      state = { listeners: new Map(), most: undefined, warned: new Map() };
      weakMapSet(states, emitter, state);
    }
    return state;
  }
  const keyOf = (name         )              => (typeof name === "symbol" ? name : intrinsics.String(name));
  const listenersOf = (emitter         , name         )             => mapGet(stateOf(emitter).listeners, keyOf(name)) ?? list();
  const has = (emitter         , name        ) => listenersOf(emitter, name).length > 0;

  let defaultMaxListeners = 10;

  function add(emitter     , name         , listener         , once         , first         )      {
    const called = callback(listener, "listener"), state = stateOf(emitter), key = keyOf(name);
    if (has(emitter, "newListener")) emitter.emit("newListener", name, called);
    // Nobody may see a list change that is being gone through.
    const before = mapGet(state.listeners, key) ?? list          (), after             = list();
    const added           = { listener: called, raw: called, once, removed: false };
    if (once) {
      added.raw = function (               ...args           ) {
        if (added.removed) return undefined;
        remove(emitter, key, added);
        return apply(called, this, args);
      };
      hidden(added.raw, "listener", called);
    }
    if (first) push(after, added);
    for (let i = 0; i < before.length; i++) push(after, before[i]);
    if (!first) push(after, added);
    mapSet(state.listeners, key, after);
    const most = state.most ?? defaultMaxListeners;
    if (most > 0 && after.length > most && mapGet(state.warned, key) === undefined) {
      mapSet(state.warned, key, true);
      ops.console_write(3, "MaxListenersExceededWarning: Possible EventEmitter memory leak detected. " + after.length + " " + intrinsics.String(key) + " listeners added. Use emitter.setMaxListeners() to increase limit");
    }
    return emitter;
  }

  function remove(emitter     , key             , gone          )       {
    const state = stateOf(emitter), before = mapGet(state.listeners, key) ?? list          (), after             = list();
    for (let i = 0; i < before.length; i++) if (before[i] !== gone) push(after, before[i]);
    gone.removed = true;
    if (after.length === 0) mapDelete(state.listeners, key);
    else mapSet(state.listeners, key, after);
    if (after.length < before.length && has(emitter, "removeListener")) emitter.emit("removeListener", key, gone.listener);
  }

  function EventEmitter(           _options          = undefined) {
    stateOf(this);
  }
  const methods      = {
    __proto__: null,
    on(name         , listener         ) { return add(this, name, listener, false, false); },
    once(name         , listener         ) { return add(this, name, listener, true, false); },
    prependListener(name         , listener         ) { return add(this, name, listener, false, true); },
    prependOnceListener(name         , listener         ) { return add(this, name, listener, true, true); },
    off(name         , listener         ) {
      const wanted = callback(listener, "listener"), known = listenersOf(this, name);
      for (let i = known.length - 1; i >= 0; i--) {
        if (known[i].listener !== wanted && known[i].raw !== wanted) continue;
        remove(this, keyOf(name), known[i]);
        break;
      }
      return this;
    },
    removeAllListeners(name          = undefined) {
      const state = stateOf(this), keys                = list();
      if (arguments.length > 0) push(keys, keyOf(name));
      else mapForEach(state.listeners, (_, key) => { push(keys, key); });
      for (let i = 0; i < keys.length; i++) {
        const known = mapGet(state.listeners, keys[i]) ?? list          ();
        if (keys[i] === "removeListener" && arguments.length === 0) continue;
        for (let j = known.length - 1; j >= 0; j--) remove(this, keys[i], known[j]);
      }
      if (arguments.length === 0) mapDelete(state.listeners, "removeListener");
      return this;
    },
    emit(name         , ...args           )          {
      const key = keyOf(name);
      if (key === "error") {
        const monitors = listenersOf(this, errorMonitor);
        for (let i = 0; i < monitors.length; i++) apply(monitors[i].raw, this, args);
      }
      const known = listenersOf(this, key);
      if (known.length === 0) {
        if (key !== "error") return false;
        const error      = args[0];
        if (isObject(error) && ops.kind_of(error) === "error") throw error;
        const wrapped      = coded(new Error("Unhandled error. (" + (typeof error === "string" ? "'" + error + "'" : inspect(error)) + ")"), "ERR_UNHANDLED_ERROR");
        hidden(wrapped, "context", error);
        throw wrapped;
      }
      for (let i = 0; i < known.length; i++) apply(known[i].raw, this, args);
      return true;
    },
    eventNames() {
      const names                = list();
      mapForEach(stateOf(this).listeners, (_, key) => { push(names, key); });
      return asArray(names);
    },
    listenerCount(name         , listener          = undefined)         {
      const known = listenersOf(this, name);
      if (listener === undefined) return known.length;
      let count = 0;
      for (let i = 0; i < known.length; i++) if (known[i].listener === listener) count++;
      return count;
    },
    listeners(name         ) {
      const known = listenersOf(this, name), found             = list();
      for (let i = 0; i < known.length; i++) push(found, known[i].listener);
      return asArray(found);
    },
    rawListeners(name         ) {
      const known = listenersOf(this, name), found             = list();
      for (let i = 0; i < known.length; i++) push(found, known[i].raw);
      return asArray(found);
    },
    setMaxListeners(most         ) {
      stateOf(this).most = listenerLimit(most, "setMaxListeners");
      return this;
    },
    getMaxListeners()         {
      return stateOf(this).most ?? defaultMaxListeners;
    },
  };
  methods.addListener = methods.on;
  methods.removeListener = methods.off;
  // They can be copied to objects that are to be emitters, as many do.
  define(EventEmitter.prototype, methods);

  function listenerLimit(value         , name        )         {
    if (typeof value !== "number" || !(value >= 0)) throw outOfRange(name, ">= 0", value);
    return value;
  }

  const isTarget = (value     ) => isObject(value) && typeof (value       ).addEventListener === "function" && typeof (value       ).on !== "function";
  function listen(emitter     , name         , listener          )             {
    if (isTarget(emitter)) {
      emitter.addEventListener(name, listener);
      return () => emitter.removeEventListener(name, listener);
    }
    if (!isObject(emitter) || typeof (emitter       ).on !== "function") throw wrongType("emitter", "an instance of EventEmitter or EventTarget", emitter);
    (emitter       ).on(name, listener);
    return () => (emitter       ).off(name, listener);
  }
  const aborted = (signal             )      => {
    const error      = coded(new Error("The operation was aborted"), "ABORT_ERR");
    hidden(error, "name", "AbortError");
    hidden(error, "cause", signals().stateOf(signal).reason);
    return error;
  };
  function signalOf(options         )                          {
    const { signal } = dictionary(options, "the options");
    if (signal === undefined) return undefined;
    if (!signals().isSignal(signal)) throw wrongType("options.signal", "an instance of AbortSignal", signal);
    return signal;
  }

  /** Resolves to what the event brings. */
  function once(emitter     , name         , options          = undefined)                     {
    try {
      const signal = signalOf(options), { promise, resolve, reject } = deferred           (), stops                 = list();
      if (signal !== undefined && signals().stateOf(signal).aborted) return rejected(aborted(signal));
      const stop = () => { for (let i = 0; i < stops.length; i++) stops[i](); };
      push(stops, listen(emitter, name, (...args           ) => { stop(); resolve(args); }));
      if (name !== "error" && !isTarget(emitter)) push(stops, listen(emitter, "error", (error         ) => { stop(); reject(error); }));
      if (signal !== undefined) {
        const abort = () => { stop(); reject(aborted(signal)); };
        signals().listen(signal, abort);
        push(stops, () => signals().ignore(signal, abort));
      }
      return promise;
    } catch (error) {
      return rejected(error);
    }
  }

  class Events {
    #events              = list();
    #at = 0;
    #waiting                                        = list();
    #served = 0;
    #error;        ;
    #failed = false;
    #over = false;
    #stops                 = list();
    constructor(emitter     , name         , signal                         , ends         ) {
      push(this.#stops, listen(emitter, name, (...args           ) => {
        if (this.#served < this.#waiting.length) this.#next().resolve({ value: args, done: false });
        else push(this.#events, args);
      }));
      if (name !== "error" && !isTarget(emitter)) push(this.#stops, listen(emitter, "error", (error         ) => this.#fail(error)));
      if (isArray(ends)) for (let i = 0; i < ends.length; i++) push(this.#stops, listen(emitter, ends[i], () => this.#end()));
      if (signal !== undefined) {
        const abort = () => this.#fail(aborted(signal));
        if (signals().stateOf(signal).aborted) abort();
        else {
          signals().listen(signal, abort);
          push(this.#stops, () => signals().ignore(signal, abort));
        }
      }
    }
    /** The one that waits longest. */
    #next() {
      const next = this.#waiting[this.#served++];
      if (this.#served === this.#waiting.length) {
        this.#waiting = list();
        this.#served = 0;
      }
      return next;
    }
    #end() {
      for (let i = 0; i < this.#stops.length; i++) this.#stops[i]();
      this.#stops = list();
      this.#over = true;
      while (this.#served < this.#waiting.length) this.#next().resolve({ value: undefined, done: true });
    }
    #fail(error         ) {
      if (this.#served < this.#waiting.length) this.#next().reject(error);
      else {
        this.#error = error;
        this.#failed = true;
      }
      this.#end();
    }
    next()                                     {
      const waiting = deferred                           ();
      if (this.#at < this.#events.length) {
        waiting.resolve({ value: this.#events[this.#at++], done: false });
        if (this.#at === this.#events.length) {
          this.#events = list();
          this.#at = 0;
        }
      } else if (this.#failed) {
        this.#failed = false;
        waiting.reject(this.#error);
      } else if (this.#over) {
        waiting.resolve({ value: undefined, done: true });
      } else {
        push(this.#waiting, waiting);
      }
      return waiting.promise;
    }
    async return() {
      this.#end();
      return { value: undefined, done: true };
    }
    async throw(error         ) {
      this.#fail(error);
      return { value: undefined, done: true };
    }
  }
  setPrototypeOf(Events.prototype, asyncIteratorPrototype);

  const statics      = {
    __proto__: null, EventEmitter, errorMonitor, once,
    on: (emitter     , name         , options          = undefined) => {
      const signal = signalOf(options);
      if (signal !== undefined && signals().stateOf(signal).aborted) throw aborted(signal);
      return new Events(emitter, name, signal, dictionary(options, "the options").close);
    },
    listenerCount: (emitter     , name         ) => listenersOf(emitter, name).length,
    getEventListeners: (emitter     , name         ) => {
      if (isTarget(emitter)) throw wrongType("emitter", "an instance of EventEmitter: the listeners of an EventTarget are its own", emitter);
      return apply(methods.listeners, emitter, [name]);
    },
    getMaxListeners: (emitter     ) => apply(methods.getMaxListeners, emitter, []),
    setMaxListeners: (most          = defaultMaxListeners, ...emitters       ) => {
      const limit = listenerLimit(most, "setMaxListeners");
      if (emitters.length === 0) defaultMaxListeners = limit;
      for (let i = 0; i < emitters.length; i++) if (!isTarget(emitters[i])) stateOf(emitters[i]).most = limit;
    },
    addAbortListener: (signal             , listener            ) => {
      if (!signals().isSignal(signal)) throw wrongType("signal", "an instance of AbortSignal", signal);
      const { aborted: isAborted } = signals().stateOf(signal);
      if (isAborted) intrinsics.queueMicrotask(listener);
      else signals().listen(signal, listener);
      return { __proto__: null, [intrinsics.dispose]: () => signals().ignore(signal, listener) };
    },
  };
  define(EventEmitter, statics);
  defineProperty(EventEmitter, "defaultMaxListeners", {
    __proto__: null,
    enumerable: true,
    configurable: false,
    get: () => defaultMaxListeners,
    set: (value         ) => { defaultMaxListeners = listenerLimit(Number(value), "defaultMaxListeners"); },
  }                      );
  return { "node:events": EventEmitter };
})
