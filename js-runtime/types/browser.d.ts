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
  allTextContents(): Promise<string[]>;
  allInnerTexts(): Promise<string[]>;
  waitFor(options?: BrowserTimeout & { state?: "attached" | "detached" | "visible" | "hidden" }): Promise<void>;
  evaluate<R, A = undefined>(script: string | ((element: any, argument: A) => R), argument?: A, options?: BrowserTimeout): Promise<Awaited<R>>;
  evaluateAll<R, A = undefined>(script: string | ((elements: any[], argument: A) => R), argument?: A): Promise<Awaited<R>>;
  screenshot(options?: BrowserScreenshotOptions): Promise<Buffer>;
  snapshot(options?: BrowserSnapshotOptions): Promise<string>;
}
/** What a document came with. */
interface BrowserResponse {
  url(): string;
  status(): number;
  ok(): boolean;
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
interface Page extends BrowserFinder {
  readonly keyboard: BrowserKeyboard;
  readonly mouse: BrowserMouse;
  goto(url: string, options?: BrowserNavigationOptions): Promise<BrowserResponse | null>;
  reload(options?: BrowserNavigationOptions): Promise<BrowserResponse | null>;
  goBack(options?: BrowserNavigationOptions): Promise<BrowserResponse | null>;
  goForward(options?: BrowserNavigationOptions): Promise<BrowserResponse | null>;
  url(): string;
  title(): Promise<string>;
  content(): Promise<string>;
  setContent(html: string, options?: BrowserNavigationOptions): Promise<void>;
  waitForLoadState(state?: "domcontentloaded" | "load" | "networkidle", options?: BrowserTimeout): Promise<void>;
  waitForURL(url: string | RegExp | ((url: URL) => boolean), options?: BrowserNavigationOptions): Promise<void>;
  waitForTimeout(milliseconds: number): Promise<void>;
  waitForSelector(selector: string, options?: BrowserTimeout & { state?: "attached" | "detached" | "visible" | "hidden" }): Promise<Locator | null>;
  waitForFunction<R, A = undefined>(script: string | ((argument: A) => R), argument?: A, options?: BrowserTimeout & { polling?: number }): Promise<Awaited<R>>;
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
  /** The page as text, with references such as `[e12]` that `locator("e12")` takes. */
  snapshot(options?: BrowserSnapshotOptions): Promise<string>;
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
interface BrowserContext {
  pages(): Page[];
  newPage(): Promise<Page>;
  cookies(urls?: string | string[]): Promise<BrowserCookie[]>;
  addCookies(cookies: BrowserCookie[]): Promise<void>;
  clearCookies(): Promise<void>;
  addInitScript(script: string | ((argument?: any) => void), argument?: unknown): Promise<void>;
  setDefaultTimeout(milliseconds: number): void;
  setDefaultNavigationTimeout(milliseconds: number): void;
  browser(): Browser;
}
interface Browser {
  contexts(): BrowserContext[];
  isConnected(): boolean;
}

/** The first page of the session's browser. `undefined` in runs that are lent none. */
declare const page: Page;
/** What its pages share: cookies and storage. */
declare const context: BrowserContext;
/** The browser. */
declare const browser: Browser;

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
declare function expect(
  value: unknown,
  message?: string,
): ValueAssertions & { readonly resolves: LaterAssertions; readonly rejects: LaterAssertions; toPass(options?: BrowserTimeout & { intervals?: number[] }): Promise<void> };
declare namespace expect {
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
