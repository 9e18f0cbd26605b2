// performance: https://w3c.github.io/hr-time/ https://w3c.github.io/user-timing/

declare class PerformanceEntry {
  protected constructor();
  readonly name: string;
  readonly entryType: string;
  readonly startTime: number;
  readonly duration: number;
  toJSON(): { name: string; entryType: string; startTime: number; duration: number };
}
declare class PerformanceMark extends PerformanceEntry {
  constructor(name: string, options?: { startTime?: number; detail?: unknown });
  readonly detail: any;
}
declare class PerformanceMeasure extends PerformanceEntry {
  private constructor();
  readonly detail: any;
}
interface PerformanceMeasureOptions {
  start?: string | number;
  end?: string | number;
  duration?: number;
  detail?: unknown;
}
/** What is marked and measured is kept as long as the VM, at most 10,000 of it, of which the older half makes way. */
declare class Performance extends EventTarget {
  private constructor();
  /** Milliseconds since `timeOrigin`. */
  now(): number;
  readonly timeOrigin: number;
  toJSON(): { timeOrigin: number };
  mark(name: string, options?: { startTime?: number; detail?: unknown }): PerformanceMark;
  measure(name: string, startOrOptions?: string | number | PerformanceMeasureOptions, end?: string | number): PerformanceMeasure;
  clearMarks(name?: string): void;
  clearMeasures(name?: string): void;
  getEntries(): PerformanceEntry[];
  getEntriesByType(type: string): PerformanceEntry[];
  getEntriesByName(name: string, type?: string): PerformanceEntry[];
}
declare const performance: Performance;
