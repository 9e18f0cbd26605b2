// navigator, reportError

declare class Navigator {
  private constructor();
  readonly userAgent: string;
  readonly language: string;
  readonly hardwareConcurrency: number;
}
declare const navigator: Navigator;

/** Writes an error to the console as if nobody had caught it. */
declare function reportError(error: any): void;
