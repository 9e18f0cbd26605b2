// A page's keyboard and mouse, and what its site has stored.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { asArray, list, Number, String, TypeError } = intrinsics;
  const { domString } = ops.library_value("webidl");
  const { ask, evaluate, listed, optionsOf }: BrowserLocators = ops.library_value("browserLocators");

  class Keyboard {
    #page: BrowserPageState;
    constructor(page: BrowserPageState) {
      this.#page = page;
    }
    async #ask(what: string, text: unknown, delay: unknown): Promise<void> {
      await ask(this.#page, { __proto__: null, do: "keyboard", what, text: domString(text), delay: delay ?? 0 }, "keyboard." + what);
    }
    async press(key: unknown, options: unknown = undefined): Promise<void> {
      return await this.#ask("press", key, optionsOf(options).delay);
    }
    async type(text: unknown, options: unknown = undefined): Promise<void> {
      return await this.#ask("type", text, optionsOf(options).delay);
    }
    async down(key: unknown): Promise<void> {
      return await this.#ask("down", key, 0);
    }
    async up(key: unknown): Promise<void> {
      return await this.#ask("up", key, 0);
    }
    async insertText(text: unknown): Promise<void> {
      return await this.#ask("insert", text, 0);
    }
  }

  class Mouse {
    #page: BrowserPageState;
    constructor(page: BrowserPageState) {
      this.#page = page;
    }
    async #ask(what: string, x: unknown, y: unknown, value: unknown, clicks: number): Promise<void> {
      const options = optionsOf(value), across = Number(x), down = Number(y);
      if (across !== across || down !== down) throw new TypeError("a place is two numbers, not " + String(x) + " and " + String(y));
      await ask(this.#page, { __proto__: null, do: "mouse", what, x: across, y: down, button: options.button ?? "left", clicks: options.clickCount ?? clicks }, "mouse." + what);
    }
    async click(x: unknown, y: unknown, options: unknown = undefined): Promise<void> {
      return await this.#ask("click", x, y, options, 1);
    }
    async dblclick(x: unknown, y: unknown, options: unknown = undefined): Promise<void> {
      return await this.#ask("click", x, y, options, 2);
    }
    async move(x: unknown, y: unknown): Promise<void> {
      return await this.#ask("move", x, y, undefined, 0);
    }
    async down(options: unknown = undefined): Promise<void> {
      return await this.#ask("down", 0, 0, options, 1);
    }
    async up(options: unknown = undefined): Promise<void> {
      return await this.#ask("up", 0, 0, options, 1);
    }
    async wheel(x: unknown, y: unknown): Promise<void> {
      return await this.#ask("wheel", x, y, undefined, 0);
    }
  }

  /** What a page's site has stored. */
  class WebStorage {
    #state: BrowserPageState;
    #name: string;
    constructor(state: BrowserPageState, name: string) {
      this.#state = state;
      this.#name = name;
    }
    async #ask(verb: string, code: string, ...texts: unknown[]): Promise<any> {
      return await evaluate(this.#state, list(), "(given) => { const stored = " + this.#name + "; " + code + " }", asArray(listed(texts, domString)), { __proto__: null }, "page." + this.#name + "." + verb, false);
    }
    async items(): Promise<any[]> {
      return await this.#ask("items", "return Object.keys(stored).map((name) => ({ name, value: stored.getItem(name) }))");
    }
    async getItem(name: unknown): Promise<string | null> {
      return await this.#ask("getItem", "return stored.getItem(...given)", name);
    }
    async setItem(name: unknown, value: unknown): Promise<void> {
      await this.#ask("setItem", "stored.setItem(...given)", name, value);
    }
    async removeItem(name: unknown): Promise<void> {
      await this.#ask("removeItem", "stored.removeItem(...given)", name);
    }
    async clear(): Promise<void> {
      await this.#ask("clear", "stored.clear()");
    }
  }

  const browserInput: BrowserInput = { __proto__: null, Keyboard, Mouse, WebStorage } as unknown as BrowserInput;
  return { browserInput };
};
