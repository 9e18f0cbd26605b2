// What the areas about browsers share.

interface BrowserContextState {
  readonly generation: number;
  timeout?: number;
  navigationTimeout?: number;
  handle?: unknown;
}
interface BrowserPageState {
  readonly id: number;
  readonly generation: number;
  readonly context: BrowserContextState;
  timeout?: number;
  navigationTimeout?: number;
  handle?: unknown;
}
/** What `browser-selectors.ts` provides. */
interface BrowserSelectors {
  parse(selector: unknown): any[];
  byRole(role: unknown, options: unknown): any;
  byText(by: string, text: unknown, options: unknown, what: string): any;
  byAttribute(name: string, text: unknown, options: unknown, what: string): any;
  byTestId(id: unknown): any;
  filters(options: unknown, partsOf: (locator: unknown) => any[], into: any[]): void;
  joined(before: readonly any[], after: readonly any[]): any[];
  describe(parts: readonly any[]): string;
  textMatch(value: unknown, exact: unknown, what: string): any;
}
/** What `browser-locator.ts` provides. */
interface BrowserLocators {
  ask(page: BrowserPageState, action: any, what: string, argument?: unknown): Promise<any>;
  evaluate(page: BrowserPageState, parts: any[], script: unknown, argument: unknown, options: any, what: string, all: boolean): Promise<any>;
  optionsOf(value: unknown): any;
  timeoutOf(page: BrowserPageState, options: any): number;
  navigationTimeoutOf(page: BrowserPageState, options: any): number;
  milliseconds(value: unknown, what: string): number;
  screenshot(page: BrowserPageState, parts: any[], options: any, what: string): Promise<Uint8Array>;
  snapshot(page: BrowserPageState, parts: any[], options: unknown): Promise<string>;
  writeTo(path: unknown, bytes: Uint8Array): Promise<void>;
  listed(value: unknown, each: (item: unknown) => unknown): any[];
  isLocator(value: unknown): boolean;
  readonly Finder: { new (page: BrowserPageState, parts: any[]): any; pageOf(finder: any): BrowserPageState; partsOf(finder: any): any[] };
  readonly Locator: new (page: BrowserPageState, parts: any[]) => any;
  readonly TimeoutError: new (message: string) => Error;
}
/** What `browser-page.ts` provides to other areas. */
interface BrowserPages {
  stateOf(page: unknown): BrowserPageState | undefined;
}
