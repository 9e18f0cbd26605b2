// Timers: the host keeps the clock and the order, this side keeps the callbacks.
(function (ops, intrinsics, hooks) {
  "use strict";
  const { apply, Map, mapDelete, mapGet, mapSet, Number, TypeError } = intrinsics;
  const timers = new Map();

  // Node's rules: at least 1 ms, and what is no sensible number counts as 1.
  const delay = (value) => {
    const ms = Number(value);
    return ms >= 1 && ms <= 2147483647 ? ms : 1;
  };
  function start(callback, ms, args, repeat) {
    if (typeof callback !== "function") throw new TypeError("a timer needs a function to call");
    const id = ops.timer_start(ms);
    mapSet(timers, id, { __proto__: null, callback, args, repeat });
    return id;
  }
  const clear = (id) => {
    if (typeof id === "number" && mapDelete(timers, id)) ops.timer_stop(id);
  };
  hooks.fire = (id) => {
    const timer = mapGet(timers, id);
    if (timer === undefined) return;
    if (timer.repeat === undefined) mapDelete(timers, id);
    else ops.timer_again(id, timer.repeat);
    apply(timer.callback, undefined, timer.args);
  };
  return {
    setTimeout: (callback, ms, ...args) => start(callback, delay(ms), args, undefined),
    setInterval: (callback, ms, ...args) => start(callback, delay(ms), args, delay(ms)),
    setImmediate: (callback, ...args) => start(callback, 0, args, undefined),
    clearTimeout: (id) => clear(id),
    clearInterval: (id) => clear(id),
    clearImmediate: (id) => clear(id),
  };
})
