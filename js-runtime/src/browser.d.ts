// What the areas about browsers share.

interface BrowserContextState {
  readonly generation: number;
  timeout?: number;
  navigationTimeout?: number;
  handle?: unknown;
  request?: unknown;
  /** What goes with each request. */
  headers?: any;
}
interface BrowserPageState {
  readonly id: number;
  readonly generation: number;
  readonly context: BrowserContextState;
  /** Of a frame: which one, and the page that it is in. */
  readonly frame?: string;
  readonly owner?: BrowserPageState;
  timeout?: number;
  navigationTimeout?: number;
  handle?: unknown;
  /** The page that has opened it. */
  opener?: number;
  /** Handles of its frames, and the answers that documents of theirs came with. */
  frames?: Map<string, unknown>;
  documents?: Map<string, unknown>;
  /** The last that it was told of: in a ring, and how many there were. */
  requests?: { readonly all: unknown[]; count: number };
  /** Of a page: whoever listens. */
  events?: BrowserEmitter;
  answered?: (state: BrowserPageState, told: any) => unknown;
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
  decode(value: any): any;
  evaluate(page: BrowserPageState, parts: any[], script: unknown, argument: unknown, options: any, what: string, all: boolean): Promise<any>;
  optionsOf(value: unknown): any;
  timeoutOf(page: BrowserPageState, options: any): number;
  navigationTimeoutOf(page: BrowserPageState, options: any): number;
  milliseconds(value: unknown, what: string): number;
  screenshot(page: BrowserPageState, parts: any[], options: any, what: string): Promise<Uint8Array>;
  snapshot(page: BrowserPageState, parts: any[], options: unknown): Promise<string>;
  markdown(page: BrowserPageState, parts: any[], options: unknown): Promise<string>;
  writeTo(path: unknown, bytes: Uint8Array): Promise<void>;
  listed(value: unknown, each: (item: unknown) => unknown): any[];
  isLocator(value: unknown): boolean;
  base64(bytes: Uint8Array): string;
  mimeTypeOf(path: string): string;
  /** Has these called before each action, and when it is done. */
  hear(before: () => void, after: () => Promise<void> | undefined): void;
  readonly Finder: { new (page: BrowserPageState, parts: any[]): any; pageOf(finder: any): BrowserPageState; partsOf(finder: any): any[]; handleOf: (value: object) => any };
  readonly Locator: { new (page: BrowserPageState, parts: any[]): any; said(locator: unknown): string };
  readonly TimeoutError: new (message: string) => Error;
}
/** What `browser-page.ts` provides to other areas. */
interface BrowserPages {
  handleOf(generation: number): { readonly context: BrowserContextState; readonly browser: unknown };
  pageOf(generation: number, id: number): any;
  stateOf(page: unknown): BrowserPageState | undefined;
}
/** What `browser-frame.ts` provides. */
interface BrowserFrames {
  readonly Document: new (state: BrowserPageState, what: string) => any;
  addressMatcher(pattern: unknown): (url: string) => unknown;
  every(state: BrowserPageState, parts: any[], what: string): Promise<any>;
  first(state: BrowserPageState, parts: any[], what: string): Promise<any>;
  frameOf(page: BrowserPageState, id: string): any;
  framesOf(page: BrowserPageState, isOne: (frame: any) => unknown): any[];
  go(state: BrowserPageState, action: any, options: any, what: string): Promise<any>;
  evaluateHandle(state: BrowserPageState, parts: any[], script: unknown, argument: unknown, options: any, what: string): Promise<any>;
  handleOf(page: BrowserPageState, frame: string | null, reference: string): any;
  jsHandle(state: BrowserPageState, kept: any): any;
  waitForFunction(state: BrowserPageState, parts: any[], script: unknown, argument: unknown, options: any, of: string): Promise<any>;
  where(state: BrowserPageState): any;
}
/** What `browser-network.ts` provides. */
interface BrowserNetwork {
  answered(state: BrowserPageState, told: any): unknown;
  network(page: BrowserPageState, event: any, emit: (name: string, value: unknown) => void): void;
  paused(page: BrowserPageState, event: any, ofPage: BrowserRules, ofAll: BrowserRules): Promise<void>;
  readonly Rules: new () => BrowserRules;
}
interface BrowserRules {
  readonly size: number;
  add(pattern: unknown, handler: unknown, options: any): void;
  remove(pattern: unknown, handler: unknown): void;
}
/** What `browser-events.ts` provides. */
interface BrowserEmitter {
  add(name: unknown, callback: unknown, once: boolean): void;
  remove(name: unknown, callback: unknown): void;
  clear(name: unknown): void;
  hears(name: string): boolean;
  emit(name: string, value: unknown): boolean;
  wait(name: unknown, state: BrowserPageState, value: unknown, what: string): Promise<any>;
}
interface BrowserEvents {
  readonly Emitter: new (names: readonly string[], what: string) => BrowserEmitter;
  readonly ConsoleMessage: new (page: BrowserPageState, told: any) => any;
  readonly Dialog: new (page: BrowserPageState, told: any) => any;
  readonly Download: { new (page: BrowserPageState, told: any): any; readonly prototype: object };
  readonly FileChooser: new (page: BrowserPageState, told: any) => any;
  pageError(told: any): unknown;
  refresh(): void;
  bind(dispatch: (event: any) => void, routes: () => number, exposed: () => number): void;
  readonly Exposed: new () => BrowserExposed;
  answerCall(frame: BrowserPageState, call: string, all: BrowserExposed[]): Promise<void>;
}
interface BrowserExposed {
  readonly size: number;
  add(name: unknown, callback: unknown, what: string, put: (action: any) => Promise<unknown>): Promise<void>;
}
/** What `browser-input.ts` provides. */
interface BrowserInput {
  readonly Keyboard: new (page: BrowserPageState) => unknown;
  readonly Mouse: new (page: BrowserPageState) => unknown;
  readonly WebStorage: new (page: BrowserPageState, name: string) => unknown;
}
/** What pages and contexts have for those who tell them what has happened. */
interface BrowserSpeakingParts {
  readonly events: BrowserEmitter;
  readonly rules: BrowserRules;
  readonly exposed: BrowserExposed;
}
interface BrowserSpeaking {
  new (state: BrowserPageState): any;
  partsOf(of: unknown): BrowserSpeakingParts;
}
/** What `browser-context.ts` provides. */
interface BrowserContexts {
  readonly Browser: new (generation: number) => unknown;
  readonly BrowserContext: { new (state: BrowserContextState): any; partsOf(of: unknown): BrowserSpeakingParts };
  headerPairs(headers: unknown): unknown[];
  missing(prototype: object, what: string, names: { readonly [name: string]: string }): void;
  pairOf(name: string, value: unknown): unknown[];
  requestOf(context: BrowserContextState): unknown;
  speaking(Base: new (state: BrowserPageState, what: string) => any, what: string, events: string): BrowserSpeaking;
}
/** What `browser-request.ts` provides. */
interface BrowserRequests {
  readonly APIRequestContext: new (context: BrowserContextState) => any;
  /** What an answer of it is; undefined if it is none. */
  lookAt(value: unknown): { url: string; status: number; statusText: string } | undefined;
}
