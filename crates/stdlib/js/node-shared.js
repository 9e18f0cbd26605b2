// Made of js-runtime/src/node-shared.ts by `cargo xtask generate`.
// What the modules of Node.js have in common: https://nodejs.org/api/
((ops     , intrinsics            ) => {
  const { defineProperty, Error, list, ownKeys, push, RangeError, TypeError } = intrinsics;
  const { inspect } = ops.library_value("inspector");

  function coded                 (error   , code        )    {
    defineProperty(error, "code", { __proto__: null, value: code, writable: true, enumerable: true, configurable: true }                      );
    return error;
  }

  /** What a value is, in the words of Node's messages. */
  function received(value         )         {
    if (value === null || value === undefined) return "Received " + value;
    if (typeof value === "function") return "Received function " + (value            ).name;
    if (typeof value === "object") return "Received " + inspect(value, -1);
    return "Received type " + typeof value + " (" + inspect(value) + ")";
  }
  const wrongType = (name                    , wanted        , value         ) => {
    const which = name === undefined ? "first" : "\"" + name + "\"";
    return coded(new TypeError("The " + which + " argument must be " + wanted + ". " + received(value)), "ERR_INVALID_ARG_TYPE");
  };
  const outOfRange = (name        , wanted        , value         ) =>
    coded(new RangeError("The value of \"" + name + "\" is out of range. It must be " + wanted + ". Received " + inspect(value)), "ERR_OUT_OF_RANGE");

  function text(value         , name        )         {
    if (typeof value !== "string") throw wrongType(name, "of type string", value);
    return value;
  }
  function callback(value         , name        )           {
    if (typeof value !== "function") throw wrongType(name, "of type function", value);
    return value;
  }

  /** Puts functions where Node has some that are not here: they say so. */
  function leaveOut(target        , module        , names                   , instead        )       {
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      const missing = () => {
        throw coded(new Error(module + "." + name + " is not here: " + instead), "ERR_METHOD_NOT_IMPLEMENTED");
      };
      defineProperty(target, name, { __proto__: null, value: missing, writable: true, enumerable: false, configurable: true }                      );
    }
  }

  function hidden(target        , name             , value         )       {
    defineProperty(target, name, { __proto__: null, value, writable: true, enumerable: false, configurable: true }                      );
  }

  /** Gives an object the properties of another, whatever stands on its prototypes. */
  function define                  (target   , source        )    {
    const names = ownKeys(source);
    for (let i = 0; i < names.length; i++) {
      defineProperty(target, names[i], { __proto__: null, value: (source       )[names[i]], writable: true, enumerable: true, configurable: true }                      );
    }
    return target;
  }

  /** Parts of a text between separators. */
  function split(whole        , separator        )           {
    const parts           = list();
    for (let from = 0; ; ) {
      const at = intrinsics.indexOf(whole, separator, from);
      push(parts, at < 0 ? intrinsics.slice(whole, from) : intrinsics.slice(whole, from, at));
      if (at < 0) return parts;
      from = at + separator.length;
    }
  }

  const nodeShared             = { callback, coded, define, hidden, leaveOut, outOfRange, received, split, text, wrongType };
  return { nodeShared };
})
