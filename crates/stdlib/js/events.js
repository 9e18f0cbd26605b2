// Made of js-runtime/src/events.ts by `cargo xtask generate`.
// Event, CustomEvent, EventTarget, AbortController, AbortSignal: https://dom.spec.whatwg.org/
((ops     , intrinsics            ) => {
  const { apply, asArray, defineProperty, DOMException, list, now, push, TypeError } = intrinsics;
  const { defineInterface, dictionary, domString, isObject, required, sequence } = ops.library_value("webidl");
  const startTimer = ops.library_value("setTimeout");

  /** What the classes know of an event besides what they show. */
  ;














  ;








  let dispatch                                                ;
  let stateOf                         ;
  let isEvent                             ;

  class Event {
    #state;      ;
    #timeStamp = now();

    static {
      stateOf = (event) => event.#state;
      isEvent = (value) => isObject(value) && #state in value;
    }

    constructor(type        , init            ) {
      required(1, arguments.length, "Event");
      const text = domString(type), { bubbles, cancelable, composed } = dictionary(init, "the second argument of Event");
      this.#state = {
        type: text, bubbles: !!bubbles, cancelable: !!cancelable, composed: !!composed, target: null, currentTarget: null, phase: 0, canceled: false,
        stopped: false, stoppedAtOnce: false, passive: false, dispatching: false, trusted: false,
      };
      defineProperty(this, "isTrusted", trusted);
    }

    get type() {
      return this.#state.type;
    }
    get target() {
      return this.#state.target;
    }
    get srcElement() {
      return this.#state.target;
    }
    get currentTarget() {
      return this.#state.currentTarget;
    }
    composedPath() {
      const path                = list();
      if (this.#state.currentTarget !== null) push(path, this.#state.currentTarget);
      return asArray(path);
    }
    get eventPhase() {
      return this.#state.phase;
    }
    stopPropagation() {
      this.#state.stopped = true;
    }
    get cancelBubble() {
      return this.#state.stopped;
    }
    set cancelBubble(value         ) {
      if (value) this.#state.stopped = true;
      else this.#state;
    }
    stopImmediatePropagation() {
      this.#state.stopped = true;
      this.#state.stoppedAtOnce = true;
    }
    get bubbles() {
      return this.#state.bubbles;
    }
    get cancelable() {
      return this.#state.cancelable;
    }
    get returnValue() {
      return !this.#state.canceled;
    }
    set returnValue(value         ) {
      if (!value) this.preventDefault();
    }
    preventDefault() {
      const state = this.#state;
      if (state.cancelable && !state.passive) state.canceled = true;
    }
    get defaultPrevented() {
      return this.#state.canceled;
    }
    get composed() {
      return this.#state.composed;
    }
    get timeStamp() {
      return this.#timeStamp;
    }
    initEvent(type        , bubbles = false, cancelable = false) {
      required(1, arguments.length, "Event.initEvent");
      const state = this.#state, text = domString(type);
      if (state.dispatching) return;
      state.type = text;
      state.bubbles = !!bubbles;
      state.cancelable = !!cancelable;
      state.canceled = state.stopped = state.stoppedAtOnce = false;
      state.target = null;
    }
  }
  // One getter, which no event can be without.
  const { get } = intrinsics.getOwnPropertyDescriptor({ get isTrusted() { return stateOf(this                    ).trusted; } }, "isTrusted") ;
  const trusted = { __proto__: null, get, enumerable: true, configurable: false }                      ;
  const phases = ["NONE", "CAPTURING_PHASE", "AT_TARGET", "BUBBLING_PHASE"];
  for (let i = 0; i < phases.length; i++) {
    const constant = { __proto__: null, value: i, enumerable: true }                      ;
    defineProperty(Event, phases[i], constant);
    defineProperty(Event.prototype, phases[i], constant);
  }

  class CustomEvent extends Event {
    #detail;        ;
    constructor(type        , init                  ) {
      required(1, arguments.length, "CustomEvent");
      super(type, init);
      const { detail } = dictionary(init, "the second argument of CustomEvent");
      this.#detail = detail === undefined ? null : detail;
    }
    get detail() {
      return this.#detail;
    }
    initCustomEvent(type        , bubbles = false, cancelable = false, detail          = null) {
      required(1, arguments.length, "CustomEvent.initCustomEvent");
      this.#detail;
      if (stateOf(this).dispatching) return;
      this.initEvent(type, bubbles, cancelable);
      this.#detail = detail;
    }
  }

  class EventTarget {
    #listeners             = list();

    addEventListener(type        , callback         , options          ) {
      required(2, arguments.length, "EventTarget.addEventListener");
      const listeners = this.#listeners, text = domString(type);
      let capture = !!options, once = false, passive = false, signal                         ;
      if (isObject(options)) {
        const given = dictionary(options, "the options")                           ;
        capture = !!given.capture;
        once = !!given.once;
        passive = !!given.passive;
        if (given.signal !== undefined) {
          if (!isSignal(given.signal)) throw new TypeError("the signal of EventTarget.addEventListener is no AbortSignal");
          signal = given.signal                          ;
        }
      }
      if (callback !== null && callback !== undefined && !isObject(callback)) throw new TypeError("the listener of EventTarget.addEventListener is neither function nor object");
      if (callback === null || callback === undefined || (signal !== undefined && signal.aborted)) return;
      for (let i = 0; i < listeners.length; i++) {
        const known = listeners[i];
        if (known.type === text && known.callback === callback && known.capture === capture) return;
      }
      const listener = { type: text, callback, capture, once, passive, removed: false };
      push(listeners, listener);
      if (signal !== undefined) onAbort(signal, () => this.#remove(listener));
    }

    removeEventListener(type        , callback         , options          ) {
      required(2, arguments.length, "EventTarget.removeEventListener");
      const text = domString(type), capture = isObject(options) ? !!(options                        ).capture : !!options;
      for (let i = 0; i < this.#listeners.length; i++) {
        const known = this.#listeners[i];
        if (known.type === text && known.callback === callback && known.capture === capture) return this.#remove(known);
      }
    }

    dispatchEvent(event       ) {
      required(1, arguments.length, "EventTarget.dispatchEvent");
      this.#listeners;
      if (!isEvent(event)) throw new TypeError("what EventTarget.dispatchEvent dispatches is no Event");
      if (stateOf(event).dispatching) throw new DOMException("the event is being dispatched already", "InvalidStateError");
      return dispatch(this, event);
    }

    #remove(listener          )       {
      listener.removed = true;
      const kept             = list();
      for (let i = 0; i < this.#listeners.length; i++) if (this.#listeners[i] !== listener) push(kept, this.#listeners[i]);
      this.#listeners = kept;
    }

    static {
      dispatch = (target, event) => {
        const state = stateOf(event);
        state.dispatching = true;
        state.target = state.currentTarget = target;
        state.phase = 2;
        // Those that are added meanwhile are not called; at the target, listeners for capturing come first.
        const listeners = target.#listeners;
        const count = listeners.length;
        for (let pass = 0; pass < 2 && !state.stopped; pass++) {
          for (let i = 0; i < count && !state.stoppedAtOnce; i++) {
            const listener = listeners[i];
            if (listener.removed || listener.type !== state.type || listener.capture !== (pass === 0)) continue;
            if (listener.once) target.#remove(listener);
            state.passive = listener.passive;
            try {
              const { callback } = listener;
              if (typeof callback === "function") {
                apply(callback, target, [event]);
              } else {
                const handle = (callback       ).handleEvent;
                if (typeof handle !== "function") throw new TypeError("the listener has no function handleEvent");
                apply(handle, callback, [event]);
              }
            } catch (error) {
              report(error);
            }
            state.passive = false;
          }
        }
        state.phase = 0;
        state.currentTarget = null;
        state.dispatching = state.stopped = state.stoppedAtOnce = false;
        return !state.canceled;
      };
    }
  }

  /** https://html.spec.whatwg.org/#report-the-exception: what nobody catches is written to the console. */
  function report(error         )       {
    startTimer(() => {
      throw error;
    }, 0);
  }

  let isSignal                                                     ;
  let offAbort                                                      ;
  let abortOf                                                                ;
  let onAbort                                                      ;
  let abort                                                ;
  let newSignal                   ;
  const TOKEN = { __proto__: null };

  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason          = undefined;
    #algorithms                 = list();
    /** Signals that abort with this one; those that this one aborts with are never such themselves. */
    #dependents                = list();
    #sources                = list();
    #handler          = null;
    #listening = false;

    constructor(token          ) {
      super();
      if (token !== TOKEN) throw new TypeError("an AbortSignal comes from an AbortController, AbortSignal.abort, AbortSignal.any or AbortSignal.timeout");
    }

    static {
      newSignal = () => new AbortSignal(TOKEN);
      isSignal = (value)                                  => isObject(value) && #algorithms in value;
      abortOf = (signal) => ({ aborted: signal.#aborted, reason: signal.#reason });
      offAbort = (signal, algorithm) => {
        const kept                 = list();
        for (let i = 0; i < signal.#algorithms.length; i++) if (signal.#algorithms[i] !== algorithm) push(kept, signal.#algorithms[i]);
        signal.#algorithms = kept;
      };
      onAbort = (signal, algorithm) => {
        if (!signal.#aborted) push(signal.#algorithms, algorithm);
      };
      // https://dom.spec.whatwg.org/#abortsignal-signal-abort
      abort = (signal, reason) => {
        if (signal.#aborted) return;
        signal.#settle(reason);
        const also                = list(), dependents = signal.#dependents;
        for (let i = 0; i < dependents.length; i++) {
          if (dependents[i].#aborted) continue;
          dependents[i].#settle(signal.#reason);
          push(also, dependents[i]);
        }
        signal.#run();
        for (let i = 0; i < also.length; i++) also[i].#run();
      };
    }

    #settle(reason         )       {
      this.#aborted = true;
      this.#reason = reason === undefined ? new DOMException("the operation was aborted", "AbortError") : reason;
    }

    #run()       {
      const algorithms = this.#algorithms;
      this.#algorithms = list();
      for (let i = 0; i < algorithms.length; i++) algorithms[i]();
      const event = new Event("abort");
      stateOf(event).trusted = true;
      dispatch(this, event);
    }

    static abort(reason          ) {
      const signal = newSignal();
      signal.#settle(reason);
      return signal;
    }

    static timeout(milliseconds        ) {
      required(1, arguments.length, "AbortSignal.timeout");
      const ms = +milliseconds;
      if (!(ms >= 0 && ms <= 9007199254740991)) throw new TypeError("the time of AbortSignal.timeout is no number of milliseconds");
      const signal = newSignal();
      startTimer(() => abort(signal, new DOMException("the operation timed out", "TimeoutError")), ms);
      return signal;
    }

    static any(signals                       ) {
      required(1, arguments.length, "AbortSignal.any");
      const all        = sequence(signals, "the argument of AbortSignal.any"), result = newSignal();
      for (let i = 0; i < all.length; i++) if (!isSignal(all[i])) throw new TypeError("one of the signals is no AbortSignal");
      for (let i = 0; i < all.length; i++) {
        if (!all[i].#aborted) continue;
        result.#settle(all[i].#reason);
        return result;
      }
      const follow = (source             ) => {
        for (let i = 0; i < result.#sources.length; i++) if (result.#sources[i] === source) return;
        push(result.#sources, source);
        push(source.#dependents, result);
      };
      for (let i = 0; i < all.length; i++) {
        const { length } = all[i].#sources;
        if (length === 0) follow(all[i]);
        for (let j = 0; j < length; j++) follow(all[i].#sources[j]);
      }
      return result;
    }

    get aborted() {
      return this.#aborted;
    }
    get reason() {
      return this.#reason;
    }
    throwIfAborted() {
      if (this.#aborted) throw this.#reason;
    }
    get onabort() {
      return this.#handler;
    }
    set onabort(handler         ) {
      this.#handler = isObject(handler) ? handler : null;
      if (this.#listening) return;
      this.#listening = true;
      // Where it stands among the listeners is where it was first set.
      this.addEventListener("abort", (event       ) => {
        if (typeof this.#handler === "function") apply(this.#handler, this, [event]);
      });
    }
  }

  class AbortController {
    #signal = newSignal();
    get signal() {
      return this.#signal;
    }
    abort(reason          ) {
      abort(this.#signal, reason);
    }
  }

  defineInterface(Event, "Event");
  defineInterface(CustomEvent, "CustomEvent");
  defineInterface(EventTarget, "EventTarget");
  defineInterface(AbortSignal, "AbortSignal");
  defineInterface(AbortController, "AbortController");
  const signals = { __proto__: null, create: newSignal , abort: abort , isSignal: isSignal , listen: onAbort , ignore: offAbort , stateOf: abortOf  };
  return { Event, CustomEvent, EventTarget, AbortSignal, AbortController, signals };
})
