// performance: https://w3c.github.io/hr-time/ https://w3c.github.io/performance-timeline/ https://w3c.github.io/user-timing/
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { asArray, DOMException, list, now, preventExtensions, push, TypeError, wallClock } = intrinsics;
  const { defineInterface, dictionary, domString, isObject, required } = ops.library_value("webidl");
  const EventTarget: typeof globalThis.EventTarget = ops.library_value("EventTarget");
  const structuredClone: typeof globalThis.structuredClone = ops.library_value("structuredClone");
  const TOKEN = { __proto__: null };
  /** Marks and measures that are kept; half of them, the oldest, make way for more. */
  const MOST = 10000;
  const timeOrigin = wallClock() - now();

  let startOf!: (entry: PerformanceEntry) => number;
  class PerformanceEntry {
    #name: string;
    #type: string;
    #start: number;
    #duration: number;
    static {
      startOf = (entry) => entry.#start;
    }
    constructor(token: unknown = undefined, name = "", type = "", start = 0, duration = 0) {
      if (token !== TOKEN) throw new TypeError("Illegal constructor");
      this.#name = name;
      this.#type = type;
      this.#start = start;
      this.#duration = duration;
    }
    get name() { return this.#name; }
    get entryType() { return this.#type; }
    get startTime() { return this.#start; }
    get duration() { return this.#duration; }
    toJSON(): object {
      return { name: this.#name, entryType: this.#type, startTime: this.#start, duration: this.#duration };
    }
  }

  const copied = (detail: unknown) => (detail === undefined || detail === null ? null : structuredClone(detail));
  class PerformanceMark extends PerformanceEntry {
    #detail: unknown;
    constructor(name: string, options: any = undefined) {
      required(1, arguments.length, "PerformanceMark");
      const given = dictionary(options, "the options of PerformanceMark"), start = given.startTime === undefined ? now() : intrinsics.Number(given.startTime);
      if (!(start >= 0)) throw new TypeError("a mark is not before the time origin: " + start);
      super(TOKEN, domString(name), "mark", start, 0);
      this.#detail = copied(given.detail);
    }
    get detail() { return this.#detail; }
  }
  class PerformanceMeasure extends PerformanceEntry {
    #detail: unknown;
    constructor(token: unknown = undefined, name = "", start = 0, duration = 0, detail: unknown = null) {
      super(token, name, "measure", start, duration);
      this.#detail = detail;
    }
    get detail() { return this.#detail; }
  }

  let entries: { entry: PerformanceEntry; name: string; type: string; start: number }[] = list();
  function add(entry: PerformanceEntry, name: string, type: string, start: number): void {
    let at = entries.length;
    const kept: typeof entries = list();
    while (at > 0 && entries[at - 1].start > start) at--;
    // Half of them at once, so that it is rarely done.
    for (let i = entries.length >= MOST ? MOST / 2 : 0; i < at; i++) push(kept, entries[i]);
    push(kept, { entry, name, type, start });
    for (let i = at > MOST / 2 || entries.length < MOST ? at : MOST / 2; i < entries.length; i++) push(kept, entries[i]);
    entries = kept;
  }
  function append(entry: PerformanceEntry, name: string, type: string, start: number): void {
    if (entries.length < MOST && (entries.length === 0 || entries[entries.length - 1].start <= start)) push(entries, { entry, name, type, start });
    else add(entry, name, type, start);
  }
  function matching(name: string | undefined, type: string | undefined): PerformanceEntry[] {
    const found: PerformanceEntry[] = list();
    for (let i = 0; i < entries.length; i++) if ((name === undefined || entries[i].name === name) && (type === undefined || entries[i].type === type)) push(found, entries[i].entry);
    return asArray(found);
  }
  function clear(type: string, name: unknown): void {
    const kept: typeof entries = list(), wanted = name === undefined ? undefined : domString(name);
    for (let i = 0; i < entries.length; i++) if (entries[i].type !== type || (wanted !== undefined && entries[i].name !== wanted)) push(kept, entries[i]);
    entries = kept;
  }
  /** The time of a mark, or a time. */
  function timeOf(value: unknown): number {
    if (typeof value === "number") {
      if (!(value >= 0)) throw new TypeError("a time is not before the time origin: " + value);
      return value;
    }
    const name = domString(value);
    for (let i = entries.length - 1; i >= 0; i--) if (entries[i].type === "mark" && entries[i].name === name) return entries[i].start;
    throw new DOMException("there is no mark '" + name + "'", "SyntaxError");
  }

  class Performance extends EventTarget {
    #brand = true;
    constructor(token: unknown = undefined) {
      if (token !== TOKEN) throw new TypeError("Illegal constructor");
      super();
    }
    now(): number {
      this.#brand;
      return now();
    }
    get timeOrigin(): number {
      this.#brand;
      return timeOrigin;
    }
    toJSON(): object {
      this.#brand;
      return { timeOrigin };
    }
    mark(name: string, options: unknown = undefined): PerformanceMark {
      this.#brand;
      required(1, arguments.length, "Performance.mark");
      const label = domString(name), mark = new PerformanceMark(label, options);
      append(mark, label, "mark", startOf(mark));
      return mark;
    }
    measure(name: string, startOrOptions: unknown = undefined, endMark: unknown = undefined): PerformanceMeasure {
      this.#brand;
      required(1, arguments.length, "Performance.measure");
      const label = domString(name), given: any = isObject(startOrOptions) ? dictionary(startOrOptions, "the options") : { __proto__: null, start: startOrOptions };
      const { start, end, duration, detail } = given;
      if (isObject(startOrOptions)) {
        if (endMark !== undefined) throw new TypeError("a measure has options or an end, not both");
        if (start === undefined && end === undefined && (duration !== undefined || detail !== undefined)) throw new TypeError("a measure with options needs a start or an end");
        if (start !== undefined && end !== undefined && duration !== undefined) throw new TypeError("a measure has two of start, end and duration");
      }
      const length = duration === undefined ? undefined : intrinsics.Number(duration);
      const last = endMark !== undefined ? timeOf(endMark) : end !== undefined ? timeOf(end) : start !== undefined && length !== undefined ? timeOf(start) + length : now();
      const first = start !== undefined ? timeOf(start) : length !== undefined && end !== undefined ? last - length : 0;
      const measure = new PerformanceMeasure(TOKEN, label, first, last - first, copied(detail));
      append(measure, label, "measure", first);
      return measure;
    }
    clearMarks(name: unknown = undefined): void {
      this.#brand;
      clear("mark", name);
    }
    clearMeasures(name: unknown = undefined): void {
      this.#brand;
      clear("measure", name);
    }
    getEntries(): PerformanceEntry[] {
      this.#brand;
      return matching(undefined, undefined);
    }
    getEntriesByType(type: string): PerformanceEntry[] {
      this.#brand;
      required(1, arguments.length, "Performance.getEntriesByType");
      return matching(undefined, domString(type));
    }
    getEntriesByName(name: string, type: unknown = undefined): PerformanceEntry[] {
      this.#brand;
      required(1, arguments.length, "Performance.getEntriesByName");
      return matching(domString(name), type === undefined ? undefined : domString(type));
    }
  }
  defineInterface(Performance, "Performance");
  defineInterface(PerformanceEntry, "PerformanceEntry");
  defineInterface(PerformanceMark, "PerformanceMark");
  defineInterface(PerformanceMeasure, "PerformanceMeasure");
  // What they hand to their parents is nobody else's.
  preventExtensions(PerformanceMark);
  preventExtensions(PerformanceMeasure);
  return { Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, performance: new Performance(TOKEN) };
};
