// navigator, reportError: https://html.spec.whatwg.org/#navigator https://html.spec.whatwg.org/#dom-reporterror
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { TypeError } = intrinsics;
  const { defineInterface, required } = ops.library_value("webidl");
  const startTimer = ops.library_value("setTimeout");
  const TOKEN = { __proto__: null };

  class Navigator {
    #brand = true;
    constructor(token: unknown = undefined) {
      if (token !== TOKEN) throw new TypeError("there is one navigator: it is a global");
    }
    get userAgent(): string {
      this.#brand;
      return ops.user_agent();
    }
    get language() {
      this.#brand;
      return "en-US";
    }
    get hardwareConcurrency() {
      this.#brand;
      return 1;
    }
  }

  /** Writes an error to the console as if nobody had caught it. */
  function reportError(error: unknown) {
    required(1, arguments.length, "reportError");
    startTimer(() => {
      throw error;
    }, 0);
  }

  defineInterface(Navigator, "Navigator");
  return { Navigator, navigator: new Navigator(TOKEN), reportError };
};
