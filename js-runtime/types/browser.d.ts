// A browser that a call lends. Names, meanings and types are Playwright's, as far as they are here.

type BrowserText = string | RegExp;
interface BrowserTimeout {
  /** Milliseconds; 0 waits for as long as the run may. */
  timeout?: number;
}
interface BrowserActionOptions extends BrowserTimeout {
  /** Whether the element is ready is not looked at. */
  force?: boolean;
}
interface BrowserClickOptions extends BrowserActionOptions {
  button?: "left" | "right" | "middle";
  clickCount?: number;
  /** Milliseconds between press and release. */
  delay?: number;
  modifiers?: ("Alt" | "Control" | "ControlOrMeta" | "Meta" | "Shift")[];
  position?: { x: number; y: number };
}
interface BrowserNavigationOptions extends BrowserTimeout {
  waitUntil?: "commit" | "domcontentloaded" | "load" | "networkidle";
}
interface BrowserMarkdownOptions extends BrowserTimeout {
  /** Characters; 20,000 unless something else is said. */
  maxLength?: number;
}
type BrowserUrl = string | RegExp | ((url: URL) => boolean);
type BrowserEventOptions<T> = ((value: T) => unknown) | (BrowserTimeout & { predicate?: (value: T) => unknown });
interface BrowserRoleOptions {
  name?: BrowserText;
  exact?: boolean;
  checked?: boolean;
  disabled?: boolean;
  expanded?: boolean;
  includeHidden?: boolean;
  level?: number;
  pressed?: boolean;
  selected?: boolean;
}
interface BrowserFilter {
  hasText?: BrowserText;
  hasNotText?: BrowserText;
  has?: Locator;
  hasNot?: Locator;
  visible?: boolean;
}
interface BrowserSnapshotOptions extends BrowserTimeout {
  /** Only what has changed since the last snapshot. */
  diff?: boolean;
  /** Characters; 20,000 unless something else is said. */
  maxLength?: number;
  /** Where links lead. */
  urls?: boolean;
}
interface BrowserScreenshotOptions extends BrowserTimeout {
  /** Where among the session's files. */
  path?: string;
  type?: "png" | "jpeg";
  quality?: number;
  fullPage?: boolean;
}
type BrowserFile = string | { name: string; mimeType?: string; buffer: ArrayBuffer | ArrayBufferView | string };
type BrowserChoice = string | { value?: string; label?: string; index?: number };
interface BrowserCookie {
  name: string;
  value: string;
  url?: string;
  domain?: string;
  path?: string;
  expires?: number;
  httpOnly?: boolean;
  secure?: boolean;
  sameSite?: "Strict" | "Lax" | "None";
}

interface BrowserFinder {
  /** CSS, `text=`, `role=`, `xpath=`, `>>` between, or a reference of a snapshot (`e12`). */
  locator(selector: string | Locator, options?: BrowserFilter): Locator;
  getByRole(role: string, options?: BrowserRoleOptions): Locator;
  getByText(text: BrowserText, options?: { exact?: boolean }): Locator;
  getByLabel(text: BrowserText, options?: { exact?: boolean }): Locator;
  getByPlaceholder(text: BrowserText, options?: { exact?: boolean }): Locator;
  getByAltText(text: BrowserText, options?: { exact?: boolean }): Locator;
  getByTitle(text: BrowserText, options?: { exact?: boolean }): Locator;
  getByTestId(id: BrowserText): Locator;
  frameLocator(selector: string): FrameLocator;
}
/** The inside of a frame. */
interface FrameLocator extends BrowserFinder {
  owner(): Locator;
  first(): FrameLocator;
  last(): FrameLocator;
  nth(index: number): FrameLocator;
}
/** How elements are found, each time anew. */
interface Locator extends BrowserFinder {
  /** The same under a name that says what it is for, in messages too. */
  describe(description: string): Locator;
  description(): string | null;
  filter(options?: BrowserFilter): Locator;
  first(): Locator;
  last(): Locator;
  nth(index: number): Locator;
  and(other: Locator): Locator;
  or(other: Locator): Locator;
  contentFrame(): FrameLocator;
  page(): Page;
  all(): Promise<Locator[]>;
  count(): Promise<number>;
  click(options?: BrowserClickOptions): Promise<void>;
  dblclick(options?: BrowserClickOptions): Promise<void>;
  hover(options?: BrowserClickOptions): Promise<void>;
  /** Throws, as in a context without `hasTouch`: pages here take no touch. */
  tap(options?: BrowserClickOptions): Promise<never>;
  fill(value: string, options?: BrowserActionOptions): Promise<void>;
  clear(options?: BrowserActionOptions): Promise<void>;
  press(key: string, options?: BrowserTimeout & { delay?: number }): Promise<void>;
  pressSequentially(text: string, options?: BrowserTimeout & { delay?: number }): Promise<void>;
  type(text: string, options?: BrowserTimeout & { delay?: number }): Promise<void>;
  check(options?: BrowserActionOptions): Promise<void>;
  uncheck(options?: BrowserActionOptions): Promise<void>;
  setChecked(checked: boolean, options?: BrowserActionOptions): Promise<void>;
  selectOption(values: BrowserChoice | BrowserChoice[] | null, options?: BrowserActionOptions): Promise<string[]>;
  selectText(options?: BrowserActionOptions): Promise<void>;
  focus(options?: BrowserTimeout): Promise<void>;
  blur(options?: BrowserTimeout): Promise<void>;
  scrollIntoViewIfNeeded(options?: BrowserTimeout): Promise<void>;
  dragTo(other: Locator, options?: BrowserActionOptions): Promise<void>;
  setInputFiles(files: BrowserFile | BrowserFile[], options?: BrowserTimeout): Promise<void>;
  dispatchEvent(type: string, init?: object, options?: BrowserTimeout): Promise<void>;
  /** Drops files and texts on it, as if they came from another program. */
  drop(payload: { files?: BrowserFile | BrowserFile[]; data?: { [type: string]: string } }, options?: BrowserTimeout & { position?: { x: number; y: number } }): Promise<void>;
  waitForFunction<A = undefined>(script: string | ((element: any, argument: A) => unknown), argument?: A, options?: BrowserTimeout & { polling?: number | "raf" }): Promise<void>;
  textContent(options?: BrowserTimeout): Promise<string | null>;
  innerText(options?: BrowserTimeout): Promise<string>;
  innerHTML(options?: BrowserTimeout): Promise<string>;
  inputValue(options?: BrowserTimeout): Promise<string>;
  getAttribute(name: string, options?: BrowserTimeout): Promise<string | null>;
  isVisible(): Promise<boolean>;
  isHidden(): Promise<boolean>;
  isEnabled(options?: BrowserTimeout): Promise<boolean>;
  isDisabled(options?: BrowserTimeout): Promise<boolean>;
  isEditable(options?: BrowserTimeout): Promise<boolean>;
  isChecked(options?: BrowserTimeout): Promise<boolean>;
  boundingBox(options?: BrowserTimeout): Promise<{ x: number; y: number; width: number; height: number } | null>;
  /** Roles, names and texts as YAML. `snapshot()` says more: it has references that `locator` takes. */
  ariaSnapshot(options?: BrowserTimeout): Promise<string>;
  allTextContents(): Promise<string[]>;
  allInnerTexts(): Promise<string[]>;
  waitFor(options?: BrowserTimeout & { state?: "attached" | "detached" | "visible" | "hidden" }): Promise<void>;
  evaluate<R, A = undefined>(script: string | ((element: any, argument: A) => R), argument?: A, options?: BrowserTimeout): Promise<Awaited<R>>;
  evaluateAll<R, A = undefined>(script: string | ((elements: any[], argument: A) => R), argument?: A): Promise<Awaited<R>>;
  evaluateHandle(script: string | ((element: any, argument?: any) => unknown), argument?: unknown, options?: BrowserTimeout): Promise<JSHandle>;
  screenshot(options?: BrowserScreenshotOptions): Promise<Buffer>;
  snapshot(options?: BrowserSnapshotOptions): Promise<string>;
  markdown(options?: BrowserMarkdownOptions): Promise<string>;
  elementHandle(options?: BrowserTimeout): Promise<ElementHandle>;
  elementHandles(): Promise<ElementHandle[]>;
}
interface BrowserRequest {
  url(): string;
  method(): string;
  headers(): { [name: string]: string };
  allHeaders(): Promise<{ [name: string]: string }>;
  headersArray(): Promise<{ name: string; value: string }[]>;
  headerValue(name: string): Promise<string | null>;
  postData(): string | null;
  postDataJSON(): any;
  postDataBuffer(): Buffer | null;
  resourceType(): string;
  isNavigationRequest(): boolean;
  frame(): Frame;
  failure(): { errorText: string } | null;
  response(): Promise<BrowserResponse | null>;
  redirectedFrom(): BrowserRequest | null;
  redirectedTo(): BrowserRequest | null;
  serviceWorker(): null;
  /** Milliseconds since `startTime`, which is since 1970; -1 for what has not been, or is not known. */
  timing(): {
    startTime: number;
    domainLookupStart: number;
    domainLookupEnd: number;
    connectStart: number;
    secureConnectionStart: number;
    connectEnd: number;
    requestStart: number;
    responseStart: number;
    responseEnd: number;
  };
  sizes(): Promise<{ requestBodySize: number; responseBodySize: number }>;
}
/** An answer. Of one that a document came with headers are known if something listens to `response`. */
interface BrowserResponse {
  url(): string;
  status(): number;
  statusText(): string;
  ok(): boolean;
  headers(): { [name: string]: string };
  allHeaders(): Promise<{ [name: string]: string }>;
  headersArray(): Promise<{ name: string; value: string }[]>;
  headerValue(name: string): Promise<string | null>;
  body(): Promise<Buffer>;
  text(): Promise<string>;
  json(): Promise<any>;
  finished(): Promise<Error | null>;
  request(): BrowserRequest | null;
  frame(): Frame;
  fromServiceWorker(): boolean;
}
interface BrowserRouteOverrides {
  url?: string;
  method?: string;
  headers?: { [name: string]: string };
  postData?: string | ArrayBuffer | ArrayBufferView | object;
}
/** A request that waits for what becomes of it. */
interface BrowserRoute {
  request(): BrowserRequest;
  continue(overrides?: BrowserRouteOverrides): Promise<void>;
  /** Leaves it to the route that was set before, or to the network. */
  fallback(overrides?: BrowserRouteOverrides): Promise<void>;
  /** What comes when it is made, by this program: for `fulfill({ response })`. */
  fetch(overrides?: BrowserRouteOverrides): Promise<APIResponse>;
  abort(
    code?:
      | "aborted" | "accessdenied" | "addressunreachable" | "blockedbyclient" | "blockedbyresponse" | "connectionaborted" | "connectionclosed" | "connectionfailed" | "connectionrefused"
      | "connectionreset" | "failed" | "internetdisconnected" | "namenotresolved" | "timedout",
  ): Promise<void>;
  fulfill(answer?: {
    status?: number;
    headers?: { [name: string]: string };
    contentType?: string;
    body?: string | ArrayBuffer | ArrayBufferView;
    json?: unknown;
    /** A file of the session's. */
    path?: string;
    response?: APIResponse;
  }): Promise<void>;
}
interface BrowserRouting {
  /** Has a function decide about requests, while runs of the session are under way. Between them they go on as they are. */
  route(url: BrowserUrl, handler: (route: BrowserRoute, request: BrowserRequest) => unknown, options?: { times?: number }): Promise<void>;
  unroute(url: BrowserUrl, handler?: (route: BrowserRoute, request: BrowserRequest) => unknown): Promise<void>;
  unrouteAll(): Promise<void>;
  setExtraHTTPHeaders(headers: { [name: string]: string }): Promise<void>;
}
interface BrowserConsoleMessage {
  type(): string;
  text(): string;
  location(): { url: string; lineNumber: number; columnNumber: number };
  /** What was written, 20 at most, as handles that are good until the run ends. */
  args(): JSHandle[];
  page(): Page;
}
/** What a page asks and waits for. Where nothing listens it is dismissed. */
interface BrowserDialog {
  type(): "alert" | "beforeunload" | "confirm" | "prompt";
  message(): string;
  defaultValue(): string;
  accept(text?: string): Promise<void>;
  dismiss(): Promise<void>;
  page(): Page;
}
interface BrowserFileChooser {
  isMultiple(): boolean;
  element(): ElementHandle;
  setFiles(files: BrowserFile | BrowserFile[], options?: BrowserTimeout): Promise<void>;
  page(): Page;
}
/** A file that a page has downloaded: 16 MiB at most. */
interface BrowserDownload {
  url(): string;
  suggestedFilename(): string;
  /** Writes it to the session's files. */
  saveAs(path: string): Promise<void>;
  bytes(): Promise<Buffer>;
  /** Where it is among the session's files: it is written to `/downloads` the first time that this is asked. */
  path(): Promise<string>;
  createReadStream(): Promise<ReadableStream<Uint8Array>>;
  failure(): Promise<string | null>;
  cancel(): Promise<void>;
  delete(): Promise<void>;
  page(): Page;
}
interface BrowserNetworkEvents {
  request: BrowserRequest;
  response: BrowserResponse;
  requestfinished: BrowserRequest;
  requestfailed: BrowserRequest;
}
interface BrowserPageEvents extends BrowserNetworkEvents {
  close: Page;
  console: BrowserConsoleMessage;
  crash: Page;
  dialog: BrowserDialog;
  domcontentloaded: Page;
  download: BrowserDownload;
  filechooser: BrowserFileChooser;
  frameattached: Frame;
  framedetached: Frame;
  framenavigated: Frame;
  load: Page;
  pageerror: Error;
  popup: Page;
}
interface BrowserContextEvents extends BrowserNetworkEvents {
  close: BrowserContext;
  console: BrowserConsoleMessage;
  dialog: BrowserDialog;
  page: Page;
  weberror: { error(): Error; page(): Page };
}
/** What a page does by itself is told while a run is under way; of what happens between two runs up to 200 events are kept. */
interface BrowserEmitter<Events> {
  on<K extends keyof Events>(event: K, listener: (value: Events[K]) => unknown): this;
  once<K extends keyof Events>(event: K, listener: (value: Events[K]) => unknown): this;
  off<K extends keyof Events>(event: K, listener: (value: Events[K]) => unknown): this;
  addListener<K extends keyof Events>(event: K, listener: (value: Events[K]) => unknown): this;
  removeListener<K extends keyof Events>(event: K, listener: (value: Events[K]) => unknown): this;
  removeAllListeners(event?: keyof Events): this;
  /** Begin to wait before what brings it about: `const [popup] = await Promise.all([page.waitForEvent("popup"), link.click()])`. */
  waitForEvent<K extends keyof Events>(event: K, options?: BrowserEventOptions<Events[K]>): Promise<Events[K]>;
}
interface BrowserKeyboard {
  press(key: string, options?: { delay?: number }): Promise<void>;
  type(text: string, options?: { delay?: number }): Promise<void>;
  down(key: string): Promise<void>;
  up(key: string): Promise<void>;
  insertText(text: string): Promise<void>;
}
interface BrowserMouse {
  click(x: number, y: number, options?: { button?: "left" | "right" | "middle"; clickCount?: number }): Promise<void>;
  dblclick(x: number, y: number, options?: { button?: "left" | "right" | "middle" }): Promise<void>;
  move(x: number, y: number): Promise<void>;
  down(options?: { button?: "left" | "right" | "middle"; clickCount?: number }): Promise<void>;
  up(options?: { button?: "left" | "right" | "middle"; clickCount?: number }): Promise<void>;
  wheel(deltaX: number, deltaY: number): Promise<void>;
}
/** What pages and frames have in common. Methods that take a selector use the first element that it finds; locators insist on one. */
interface BrowserDocument extends BrowserFinder {
  goto(url: string, options?: BrowserNavigationOptions & { referer?: string }): Promise<BrowserResponse | null>;
  url(): string;
  title(): Promise<string>;
  content(): Promise<string>;
  setContent(html: string, options?: BrowserNavigationOptions): Promise<void>;
  waitForLoadState(state?: "domcontentloaded" | "load" | "networkidle", options?: BrowserTimeout): Promise<void>;
  waitForURL(url: BrowserUrl, options?: BrowserNavigationOptions): Promise<void>;
  /** The next time that it goes somewhere: the answer that a document came with, `null` if it stays in the same one. Begin to wait before what brings it about. */
  waitForNavigation(options?: BrowserNavigationOptions & { url?: BrowserUrl }): Promise<BrowserResponse | null>;
  waitForTimeout(milliseconds: number): Promise<void>;
  waitForSelector(selector: string, options?: BrowserTimeout & { state?: "attached" | "detached" | "visible" | "hidden" }): Promise<ElementHandle | null>;
  waitForFunction<R, A = undefined>(script: string | ((argument: A) => R), argument?: A, options?: BrowserTimeout & { polling?: number | "raf" }): Promise<JSHandle<Awaited<R>>>;
  click(selector: string, options?: BrowserClickOptions): Promise<void>;
  dblclick(selector: string, options?: BrowserClickOptions): Promise<void>;
  hover(selector: string, options?: BrowserClickOptions): Promise<void>;
  fill(selector: string, value: string, options?: BrowserActionOptions): Promise<void>;
  type(selector: string, text: string, options?: BrowserTimeout & { delay?: number }): Promise<void>;
  press(selector: string, key: string, options?: BrowserTimeout & { delay?: number }): Promise<void>;
  check(selector: string, options?: BrowserActionOptions): Promise<void>;
  uncheck(selector: string, options?: BrowserActionOptions): Promise<void>;
  setChecked(selector: string, checked: boolean, options?: BrowserActionOptions): Promise<void>;
  selectOption(selector: string, values: BrowserChoice | BrowserChoice[] | null, options?: BrowserActionOptions): Promise<string[]>;
  focus(selector: string, options?: BrowserTimeout): Promise<void>;
  dragAndDrop(from: string, to: string, options?: BrowserActionOptions): Promise<void>;
  setInputFiles(selector: string, files: BrowserFile | BrowserFile[], options?: BrowserTimeout): Promise<void>;
  dispatchEvent(selector: string, type: string, init?: object, options?: BrowserTimeout): Promise<void>;
  textContent(selector: string, options?: BrowserTimeout): Promise<string | null>;
  innerText(selector: string, options?: BrowserTimeout): Promise<string>;
  innerHTML(selector: string, options?: BrowserTimeout): Promise<string>;
  inputValue(selector: string, options?: BrowserTimeout): Promise<string>;
  getAttribute(selector: string, name: string, options?: BrowserTimeout): Promise<string | null>;
  isVisible(selector: string): Promise<boolean>;
  isHidden(selector: string): Promise<boolean>;
  isEnabled(selector: string, options?: BrowserTimeout): Promise<boolean>;
  isDisabled(selector: string, options?: BrowserTimeout): Promise<boolean>;
  isEditable(selector: string, options?: BrowserTimeout): Promise<boolean>;
  isChecked(selector: string, options?: BrowserTimeout): Promise<boolean>;
  /** Runs in the page: it is sent as text, so that it has nothing of the script around it but its argument. */
  evaluate<R, A = undefined>(script: string | ((argument: A) => R), argument?: A): Promise<Awaited<R>>;
  $eval<R, A = undefined>(selector: string, script: string | ((element: any, argument: A) => R), argument?: A): Promise<Awaited<R>>;
  $$eval<R, A = undefined>(selector: string, script: string | ((elements: any[], argument: A) => R), argument?: A): Promise<Awaited<R>>;
  tap(selector: string, options?: BrowserClickOptions): Promise<never>;
  /** An element comes as an `ElementHandle`. */
  evaluateHandle(script: string | ((argument?: any) => unknown), argument?: unknown): Promise<JSHandle>;
  $(selector: string): Promise<ElementHandle | null>;
  $$(selector: string): Promise<ElementHandle[]>;
  addScriptTag(options: { url?: string; path?: string; content?: string; type?: string }): Promise<ElementHandle>;
  addStyleTag(options: { url?: string; path?: string; content?: string }): Promise<ElementHandle>;
}
/** Something in a page, until it goes elsewhere or the run ends. */
interface JSHandle<T = any> {
  evaluate<R, A = undefined>(script: string | ((value: T, argument: A) => R), argument?: A): Promise<Awaited<R>>;
  evaluateHandle(script: string | ((value: T, argument?: any) => unknown), argument?: unknown): Promise<JSHandle>;
  jsonValue(): Promise<T>;
  getProperty(name: string): Promise<JSHandle>;
  getProperties(): Promise<Map<string, JSHandle>>;
  asElement(): ElementHandle | null;
  dispose(): Promise<void>;
}
interface Frame extends BrowserDocument {
  name(): string;
  page(): Page;
  parentFrame(): Frame | null;
  childFrames(): Frame[];
  isDetached(): boolean;
  frameElement(): Promise<ElementHandle>;
}
/** One element, for as long as it is in the document. Prefer a locator, which finds it anew each time. */
interface ElementHandle extends Omit<Locator, "contentFrame"> {
  $(selector: string): Promise<ElementHandle | null>;
  $$(selector: string): Promise<ElementHandle[]>;
  $eval<R, A = undefined>(selector: string, script: string | ((element: any, argument: A) => R), argument?: A): Promise<Awaited<R>>;
  $$eval<R, A = undefined>(selector: string, script: string | ((elements: any[], argument: A) => R), argument?: A): Promise<Awaited<R>>;
  waitForSelector(selector: string, options?: BrowserTimeout & { state?: "attached" | "detached" | "visible" | "hidden" }): Promise<ElementHandle | null>;
  contentFrame(): Promise<Frame | null>;
  ownerFrame(): Promise<Frame | null>;
  asElement(): this;
  getProperty(name: string): Promise<JSHandle>;
  jsonValue(): Promise<any>;
  dispose(): Promise<void>;
}
/** What the site that a page shows has stored. */
interface BrowserWebStorage {
  items(): Promise<{ name: string; value: string }[]>;
  getItem(name: string): Promise<string | null>;
  setItem(name: string, value: string): Promise<void>;
  removeItem(name: string): Promise<void>;
  clear(): Promise<void>;
}
interface BrowserExposing {
  /** Puts a function into the pages, which can call it while a run is under way. What it is given and gives crosses as JSON. */
  exposeFunction(name: string, callback: (...given: any[]) => unknown): Promise<void>;
}
interface Page extends BrowserDocument, BrowserEmitter<BrowserPageEvents>, BrowserRouting, BrowserExposing {
  readonly keyboard: BrowserKeyboard;
  readonly mouse: BrowserMouse;
  readonly localStorage: BrowserWebStorage;
  readonly sessionStorage: BrowserWebStorage;
  reload(options?: BrowserNavigationOptions): Promise<BrowserResponse | null>;
  goBack(options?: BrowserNavigationOptions): Promise<BrowserResponse | null>;
  goForward(options?: BrowserNavigationOptions): Promise<BrowserResponse | null>;
  mainFrame(): Frame;
  frames(): Frame[];
  frame(which: string | { name?: string; url?: BrowserUrl }): Frame | null;
  waitForRequest(url: BrowserUrl | ((request: BrowserRequest) => unknown), options?: BrowserTimeout): Promise<BrowserRequest>;
  waitForResponse(url: BrowserUrl | ((response: BrowserResponse) => unknown), options?: BrowserTimeout): Promise<BrowserResponse>;
  /** The last 200, whether something listened or not. */
  consoleMessages(): Promise<BrowserConsoleMessage[]>;
  /** The last 200 of what its scripts have thrown and nothing has caught. */
  pageErrors(): Promise<Error[]>;
  /** The last 100 requests that were told of: begin with `page.on("request", …)`. */
  requests(): Promise<BrowserRequest[]>;
  readonly request: APIRequestContext;
  emulateMedia(options: {
    media?: "screen" | "print" | null;
    colorScheme?: "dark" | "light" | "no-preference" | null;
    reducedMotion?: "reduce" | "no-preference" | null;
    forcedColors?: "active" | "none" | null;
    contrast?: "more" | "no-preference" | null;
  }): Promise<void>;
  bringToFront(): Promise<void>;
  opener(): Promise<Page | null>;
  /** What there is to read on the page, as Markdown. */
  markdown(options?: BrowserMarkdownOptions): Promise<string>;
  /** The page as text, with references such as `[e12]` that `locator("e12")` takes. */
  snapshot(options?: BrowserSnapshotOptions): Promise<string>;
  /** Roles, names and texts as YAML. `snapshot()` says more: it has references that `locator` takes. */
  ariaSnapshot(options?: BrowserTimeout): Promise<string>;
  /** The picture as bytes: hand it to `show`, or write it somewhere, rather than return it. */
  screenshot(options?: BrowserScreenshotOptions): Promise<Buffer>;
  pdf(options?: { path?: string; landscape?: boolean; printBackground?: boolean }): Promise<Buffer>;
  viewportSize(): { width: number; height: number } | null;
  setViewportSize(size: { width: number; height: number }): Promise<void>;
  addInitScript(script: string | ((argument?: any) => void), argument?: unknown): Promise<void>;
  setDefaultTimeout(milliseconds: number): void;
  setDefaultNavigationTimeout(milliseconds: number): void;
  isClosed(): boolean;
  close(): Promise<void>;
  context(): BrowserContext;
}
interface BrowserCredentials {
  username: string;
  password: string;
  origin?: string;
}
interface BrowserStorageState {
  cookies: BrowserCookie[];
  origins: { origin: string; localStorage: { name: string; value: string }[] }[];
}
interface BrowserContext extends BrowserEmitter<BrowserContextEvents>, BrowserRouting, BrowserExposing {
  pages(): Page[];
  newPage(): Promise<Page>;
  cookies(urls?: string | string[]): Promise<BrowserCookie[]>;
  addCookies(cookies: BrowserCookie[]): Promise<void>;
  clearCookies(options?: { name?: BrowserText; domain?: BrowserText; path?: BrowserText }): Promise<void>;
  /** Cookies, and the local storage of the sites that are open; written to the session's files too, if a path is given. */
  storageState(options?: { path?: string }): Promise<BrowserStorageState>;
  setStorageState(state: string | BrowserStorageState): Promise<void>;
  grantPermissions(permissions: string[], options?: { origin?: string }): Promise<void>;
  clearPermissions(): Promise<void>;
  setGeolocation(place: { latitude: number; longitude: number; accuracy?: number } | null): Promise<void>;
  setOffline(offline: boolean): Promise<void>;
  /** What servers are shown that ask who it is (401): the first that is for their origin, or for all. */
  setHTTPCredentials(credentials: BrowserCredentials | BrowserCredentials[] | null): Promise<void>;
  readonly request: APIRequestContext;
  addInitScript(script: string | ((argument?: any) => void), argument?: unknown): Promise<void>;
  setDefaultTimeout(milliseconds: number): void;
  setDefaultNavigationTimeout(milliseconds: number): void;
  browser(): Browser;
}
interface Browser {
  contexts(): BrowserContext[];
  isConnected(): boolean;
  /** Throws: a session has one context. Another one is another session's. */
  newContext(): Promise<never>;
  version(): string;
}
interface APIRequestOptions extends BrowserTimeout {
  params?: { [name: string]: string | number | boolean } | URLSearchParams | string;
  headers?: { [name: string]: string };
  /** An object is sent as JSON. */
  data?: unknown;
  form?: { [name: string]: string | number | boolean };
  multipart?: { [name: string]: string | number | boolean | { name: string; mimeType?: string; buffer: ArrayBuffer | ArrayBufferView } };
  failOnStatusCode?: boolean;
  maxRedirects?: number;
}
interface APIResponse {
  url(): string;
  status(): number;
  statusText(): string;
  ok(): boolean;
  headers(): { [name: string]: string };
  headersArray(): { name: string; value: string }[];
  body(): Promise<Buffer>;
  text(): Promise<string>;
  json(): Promise<any>;
  dispose(): Promise<void>;
}
/** Requests with the cookies of the browser's pages, which reach what `fetch` does. */
interface APIRequestContext {
  get(url: string, options?: APIRequestOptions): Promise<APIResponse>;
  post(url: string, options?: APIRequestOptions): Promise<APIResponse>;
  put(url: string, options?: APIRequestOptions): Promise<APIResponse>;
  patch(url: string, options?: APIRequestOptions): Promise<APIResponse>;
  delete(url: string, options?: APIRequestOptions): Promise<APIResponse>;
  head(url: string, options?: APIRequestOptions): Promise<APIResponse>;
  fetch(url: string | BrowserRequest, options?: APIRequestOptions & { method?: string }): Promise<APIResponse>;
  storageState(options?: { path?: string }): Promise<BrowserStorageState>;
  dispose(): Promise<void>;
}

/** The first page of the session's browser. `undefined` in runs that are lent none. */
declare const page: Page;
/** What its pages share: cookies and storage. */
declare const context: BrowserContext;
/** The browser. */
declare const browser: Browser;
/** Requests with the cookies of its pages. */
declare const request: APIRequestContext;

interface ExpectOptions extends BrowserTimeout {
  ignoreCase?: boolean;
}
interface LocatorAssertions {
  readonly not: LocatorAssertions;
  toBeVisible(options?: BrowserTimeout & { visible?: boolean }): Promise<void>;
  toBeHidden(options?: BrowserTimeout): Promise<void>;
  toBeEnabled(options?: BrowserTimeout & { enabled?: boolean }): Promise<void>;
  toBeDisabled(options?: BrowserTimeout): Promise<void>;
  toBeEditable(options?: BrowserTimeout): Promise<void>;
  toBeEmpty(options?: BrowserTimeout): Promise<void>;
  toBeFocused(options?: BrowserTimeout): Promise<void>;
  toBeAttached(options?: BrowserTimeout & { attached?: boolean }): Promise<void>;
  toBeChecked(options?: BrowserTimeout & { checked?: boolean; indeterminate?: boolean }): Promise<void>;
  toBeInViewport(options?: BrowserTimeout & { ratio?: number }): Promise<void>;
  toHaveText(expected: BrowserText | BrowserText[], options?: ExpectOptions & { useInnerText?: boolean }): Promise<void>;
  toContainText(expected: BrowserText | BrowserText[], options?: ExpectOptions & { useInnerText?: boolean }): Promise<void>;
  toHaveValue(expected: BrowserText, options?: BrowserTimeout): Promise<void>;
  toHaveValues(expected: BrowserText[], options?: BrowserTimeout): Promise<void>;
  toHaveCount(count: number, options?: BrowserTimeout): Promise<void>;
  toHaveAttribute(name: string, expected?: BrowserText, options?: ExpectOptions): Promise<void>;
  toHaveClass(expected: BrowserText | BrowserText[], options?: BrowserTimeout): Promise<void>;
  toContainClass(expected: string | string[], options?: BrowserTimeout): Promise<void>;
  toHaveId(expected: BrowserText, options?: BrowserTimeout): Promise<void>;
  toHaveCSS(name: string, expected: BrowserText, options?: BrowserTimeout): Promise<void>;
  toHaveJSProperty(name: string, expected: unknown, options?: BrowserTimeout): Promise<void>;
  toHaveRole(role: string, options?: BrowserTimeout): Promise<void>;
  toHaveAccessibleName(expected: BrowserText, options?: ExpectOptions): Promise<void>;
  toHaveAccessibleDescription(expected: BrowserText, options?: ExpectOptions): Promise<void>;
  toHaveAccessibleErrorMessage(expected: BrowserText, options?: ExpectOptions): Promise<void>;
}
interface ResponseAssertions {
  readonly not: ResponseAssertions;
  toBeOK(): Promise<void>;
}
interface PageAssertions {
  readonly not: PageAssertions;
  toHaveURL(expected: BrowserText, options?: ExpectOptions): Promise<void>;
  toHaveTitle(expected: BrowserText, options?: ExpectOptions): Promise<void>;
}
interface ValueAssertions {
  readonly not: ValueAssertions;
  toBe(expected: unknown): void;
  toEqual(expected: unknown): void;
  toStrictEqual(expected: unknown): void;
  toMatchObject(expected: object): void;
  toContain(item: unknown): void;
  toContainEqual(item: unknown): void;
  toMatch(expected: BrowserText): void;
  toHaveLength(length: number): void;
  toBeTruthy(): void;
  toBeFalsy(): void;
  toBeNull(): void;
  toBeUndefined(): void;
  toBeDefined(): void;
  toBeNaN(): void;
  toBeGreaterThan(other: number | bigint): void;
  toBeGreaterThanOrEqual(other: number | bigint): void;
  toBeLessThan(other: number | bigint): void;
  toBeLessThanOrEqual(other: number | bigint): void;
  toBeCloseTo(other: number, digits?: number): void;
  toBeInstanceOf(constructor: Function): void;
  toHaveProperty(path: string | string[], value?: unknown): void;
  toThrow(expected?: BrowserText | Error | Function): void;
}
/** The same of something that is waited for. */
type LaterAssertions = { [K in Exclude<keyof ValueAssertions, "not">]: (...given: Parameters<ValueAssertions[K]>) => Promise<void> } & { readonly not: LaterAssertions };
/** Waits until something holds of a page or a locator (5 s unless something else is said); of a value it holds at once or throws. */
declare function expect(value: Locator, message?: string): LocatorAssertions;
declare function expect(value: Page, message?: string): PageAssertions;
declare function expect(value: APIResponse, message?: string): ResponseAssertions;
declare function expect(
  value: unknown,
  message?: string,
): ValueAssertions & { readonly resolves: LaterAssertions; readonly rejects: LaterAssertions; toPass(options?: BrowserTimeout & { intervals?: number[] }): Promise<void> };
declare namespace expect {
  /** Others, which wait for so long, or go on where something fails. */
  function configure(options: { timeout?: number; soft?: boolean }): typeof expect;
  /** What fails is written to the console, and the script goes on. */
  function soft(value: Locator, message?: string): LocatorAssertions;
  function soft(value: Page, message?: string): PageAssertions;
  function soft(value: unknown, message?: string): ValueAssertions;
  /** Asks again until what it gives is so. */
  function poll(value: () => unknown, options?: string | (BrowserTimeout & { message?: string; intervals?: number[] })): LaterAssertions;
  function anything(): any;
  function any(constructor: Function): any;
  function objectContaining(part: object): any;
  function arrayContaining(items: unknown[]): any;
  function stringContaining(part: string): any;
  function stringMatching(pattern: BrowserText): any;
  function closeTo(other: number, digits?: number): any;
}
